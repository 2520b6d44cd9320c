"""Makes C from the descriptions in this folder, at build time.

  generate.py xdr RPCGEN IN.x OUT.h [OUT.c]      codecs of one .x file
  generate.py procedures OUT.c TSV X-FILE...     the table behind procedure.h
  generate.py codecs OUT.c TSV X-FILE...         the codecs of every procedure, for tests
"""
import os
import re
import subprocess
import sys

# The files are written in terms of these: program in procedures.tsv, prefixes of its
# constants and of its types (snake case, or camel case when the prefix is).
PROGRAMS = {
    'REMOTE': ('REMOTE_PROGRAM', 'REMOTE_PROTOCOL_VERSION', 'remote'),
    'QEMU': ('QEMU_PROGRAM', 'QEMU_PROTOCOL_VERSION', 'qemu'),
    'ADMIN': ('ADMIN_PROGRAM', 'ADMIN_PROTOCOL_VERSION', 'admin'),
    'VIR_LOG_MANAGER_PROTOCOL': ('VIR_LOG_MANAGER_PROTOCOL_PROGRAM',
                                 'VIR_LOG_MANAGER_PROTOCOL_PROGRAM_VERSION',
                                 'virLogManagerProtocol'),
    'VIR_LOCK_SPACE_PROTOCOL': ('VIR_LOCK_SPACE_PROTOCOL_PROGRAM',
                                'VIR_LOCK_SPACE_PROTOCOL_PROGRAM_VERSION',
                                'virLockSpaceProtocol'),
    'KEEPALIVE': ('KEEPALIVE_PROGRAM', 'KEEPALIVE_PROTOCOL_VERSION', 'keepalive'),
}
READING = re.compile(r'getattr$|read$|search_')


def generate_xdr(rpcgen, source, header, code=None):
    folder, name = os.path.split(os.path.abspath(source))

    def run(*mode):
        # In the folder itself, because rpcgen puts the path that it is given into the code.
        text = subprocess.run([rpcgen, *mode, name], cwd=folder, check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        return text.replace('<rpc/rpc.h>', '"wire/xdr.h"')

    with open(header, 'w') as out:
        out.write(run('-h'))
    if code:
        own = '"%s"' % os.path.basename(header)
        with open(code, 'w') as out:  # -i 0: no inlining past the checks of our primitives
            out.write(run('-i', '0', '-c').replace(own, '"wire/%s"' % own[1:-1]))


def read_procedures(path):
    with open(path) as lines:
        rows = [line.rstrip('\n').split('\t') for line in lines if not line.startswith('#')]
    return [dict(zip(rows[0], row)) for row in rows[1:]]


class Types:
    """The structs of the .x files: which exist, and where."""

    def __init__(self, paths):
        self.structs = {}
        for path in paths:
            with open(path) as text:
                for name, body in re.findall(r'^struct (\w+) \{(.*?)^\}', text.read(), re.M | re.S):
                    self.structs[name] = (os.path.basename(path)[:-2], body)

    def of(self, procedure, part):
        """Name of the struct of a procedure's 'args', 'ret' or 'msg'; None without one."""
        prefix = PROGRAMS[procedure['program']][2]
        if prefix.startswith('vir'):
            words = procedure['procedure'].split('_') + [part]
            name = prefix + ''.join(word.capitalize() for word in words)
        else:
            name = '%s_%s_%s' % (prefix, procedure['procedure'].lower(), part)
        for known in self.structs:  # one name on the wire breaks its words differently
            if known.lower() == name.lower():
                return known
        return None

    def includes(self, *others):
        files = sorted({file for file, _ in self.structs.values()} | set(others))
        return ''.join('#include "wire/%s.h"\n' % file for file in files)


def constant(procedure):
    return '%s_PROC_%s' % (procedure['program'], procedure['procedure'])


def permission_line(rule, args, types):
    """One rule of the acl column as an initializer of WirePermission."""
    target, name, condition = (rule.split(':', 2) + [''])[:3]
    line = '.object = "%s", .name = "%s"' % (target, name)
    if not condition:
        return '    { %s },\n' % line
    field, _, value = condition.rpartition('=')
    field = field or 'flags'
    if not args or not re.search(r'\b%s;' % field, types.structs[args][1]):
        sys.exit('%s: no argument "%s" for %s' % (args, field, rule))
    kind = 'VALUE' if '=' in condition else 'NONE' if value.startswith('!') else 'ANY'
    return '    { %s, .condition = WIRE_IF_%s,\n' \
           '      .flags = %s, .offset = offsetof(%s, %s) },\n' % (
               line, kind, value.lstrip('!'), args, field)


def writes(procedure, rules):
    if procedure['writes'] != '-':
        return procedure['writes'] == 'yes'
    plain = [rule.split(':')[1] for rule in rules if rule.count(':') == 1]
    return any(not READING.match(name) for name in plain)


def permission_lines(procedure, types):
    rules = [] if procedure['acl'] == '-' else procedure['acl'].split(' ')
    args = types.of(procedure, 'args')
    lines = ''.join(permission_line(rule, args, types) for rule in rules) + '    { "" },\n'
    return lines, 'true' if writes(procedure, rules) else 'false'


def table_line(procedure, acl, is_write):
    number = constant(procedure)
    text = [procedure[column].lstrip('-') for column in ('procedure', 'api', 'filter')]
    return '    [%s] = {\n        %s\n    },\n' % (number, ', '.join([
        number, str(acl), 'WIRE_' + procedure['kind'].upper(),
        'WIRE_OWNER_' + procedure['owner'].upper(),
        'WIRE_STREAM_' + procedure['stream'].upper().replace('-', 'NONE'),
        'true' if procedure['priority'] == 'high' else 'false', is_write,
        *('"%s"' % part for part in text)]))


def generate_procedures(out, procedures, types):
    lists = {}  # equal lists of permissions are stored once: text to index of the first line
    n_lines = 0
    tables = programs = ''
    for program, (number, version, _) in PROGRAMS.items():
        tables += 'static const WireProcedure procedures_%s[] = {\n' % program
        for procedure in (p for p in procedures if p['program'] == program):
            lines, is_write = permission_lines(procedure, types)
            if lines not in lists:
                lists[lines] = n_lines
                n_lines += lines.count('.object') + 1
            tables += table_line(procedure, lists[lines], is_write)
        tables += '};\n'
        programs += '    {{ {0}, {1}, "{2}", G_N_ELEMENTS(procedures_{2}), procedures_{2} }},\n' \
            .format(number, version, program)
    out.write('#include "wire/procedure_table.h"\n\n#include <stddef.h>\n\n')
    out.write(types.includes('api_domain', 'api_domain_checkpoint', 'api_domain_snapshot',
                             'api_network', 'api_nodedev', 'keepalive', 'remote'))
    out.write('\nconst WirePermission wire_permissions[] = {\n%s};\n' % ''.join(lists))
    out.write(tables + 'const WireProgram wire_programs[] = {\n%s    { 0 },\n};\n' % programs)


def generate_codecs(out, procedures, types):
    out.write('#include "wire/codec_table.h"\n\n' + types.includes('keepalive', 'remote'))
    out.write('\nconst WireCodec wire_codecs[] = {\n')
    for procedure in procedures:
        codecs = []
        for parts in (('args', 'msg'), ('ret',)):
            name = next(filter(None, (types.of(procedure, part) for part in parts)), None)
            codecs.append('XDR_PROC(%s), sizeof(%s)' % (name, name) if name else 'NULL, 0')
        out.write('    { %s, %s, "%s", %s },\n' % (PROGRAMS[procedure['program']][0],
                                                   constant(procedure), procedure['procedure'],
                                                   ', '.join(codecs)))
    out.write('    { 0 },\n};\n')


def main(mode, *arguments):
    if mode == 'xdr':
        return generate_xdr(*arguments)
    target, procedures, *sources = arguments
    generate = {'procedures': generate_procedures, 'codecs': generate_codecs}[mode]
    with open(target, 'w') as out:
        generate(out, read_procedures(procedures), Types(sources))


main(*sys.argv[1:])
