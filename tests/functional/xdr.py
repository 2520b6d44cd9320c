"""XDR values by the types of src/wire/*.x: structs are dictionaries, lists are lists, optional
values may be None, strings are str and opaque data is bytes.

    types = Schema()
    payload = types.pack('remote_connect_open_args', {'name': 'qemu:///system', 'flags': 1})
    types.unpack('remote_connect_get_type_ret', reply)['type']
"""

import functools
import re
import struct
from pathlib import Path

WIRE = Path(__file__).resolve().parent.parent.parent / 'src' / 'wire'

NUMBERS = {'int': '>i', 'unsigned int': '>I', 'unsigned': '>I', 'hyper': '>q',
           'unsigned hyper': '>Q', 'double': '>d', 'bool': '>i', 'char': '>i',
           'unsigned char': '>I', 'short': '>i', 'unsigned short': '>I'}
# type, optional, name, brackets, size
DECLARATION = re.compile(r'^(.+?)\s*(\*?)\b(\w+)\s*(?:([\[<])(\w*)[\]>])?$')


class Field:
    def __init__(self, text):
        match = DECLARATION.match(text.strip())
        self.type, self.is_optional, self.name, self.brackets, self.size = match.groups()
        self.type = self.type.strip()


class Reader:
    def __init__(self, data):
        self.data, self.position = data, 0

    def take(self, length):
        if self.position + length > len(self.data):
            raise ValueError('the payload ends too early')
        self.position += length
        return self.data[self.position - length:self.position]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def padded(self, length):
        data = self.take(length)
        self.take(-length % 4)
        return data


class Schema:
    def __init__(self, folder=WIRE):
        self.constants, self.structs, self.unions, self.typedefs = {}, {}, {}, {}
        text = '\n'.join(path.read_text() for path in sorted(folder.glob('*.x')))
        self._load(re.sub(r'/\*.*?\*/|^%.*?$', '', text, flags=re.S | re.M))

    def _load(self, text):
        for name, value in re.findall(r'\bconst (\w+) = ([^;]+);', text):
            self.constants[name] = value
        for name, body in re.findall(r'\benum (\w+) \{(.*?)\};', text, re.S):
            NUMBERS[name] = '>i'
            for constant, value in re.findall(r'(\w+) = ([^,\s]+)', body):
                self.constants[constant] = value
        for declaration in re.findall(r'\btypedef ([^;]+);', text):
            field = Field(declaration)
            self.typedefs[field.name] = field
        for name, body in re.findall(r'\bstruct (\w+) \{(.*?)\};', text, re.S):
            self.structs[name] = [Field(line) for line in body.split(';') if line.strip()]
        for name, body in re.findall(r'\bunion (\w+) switch \(int type\) \{(.*?)\};', text, re.S):
            cases = re.findall(r'case (\w+):\s*([^;]+);', body)
            self.unions[name] = {self.constant(case): Field(field) for case, field in cases}

    def constant(self, name):
        """The number behind a constant's name (or a number in text)."""
        while not re.match(r'-?\d', name):
            name = self.constants[name]
        return int(name, 0)

    @functools.lru_cache(maxsize=None)
    def procedures(self, program):
        """Names of a program's procedures and their numbers. Every call that a test makes looks
        its own up."""
        prefix = program + '_PROC_'
        return {name[len(prefix):]: self.constant(name)
                for name in self.constants if name.startswith(prefix)}

    # Encoding

    def pack(self, kind, value):
        if kind in NUMBERS:
            return struct.pack(NUMBERS[kind], value)
        if kind in self.typedefs:
            return self._pack_field(self.typedefs[kind], value)
        if kind in self.structs:
            return b''.join(self._pack_field(field, value[field.name])
                            for field in self.structs[kind])
        case, inner = value
        return struct.pack('>i', case) + self._pack_field(self.unions[kind][case], inner)

    def _pack_field(self, field, value):
        if field.is_optional:
            if value is None:
                return b'\0\0\0\0'
            return b'\0\0\0\1' + self.pack(field.type, value)
        if field.type in ('string', 'opaque'):
            data = value.encode() if isinstance(value, str) else value
            count = struct.pack('>I', len(data)) if field.brackets == '<' else b''
            return count + data + b'\0' * (-len(data) % 4)
        if field.brackets:
            count = struct.pack('>I', len(value)) if field.brackets == '<' else b''
            return count + b''.join(self.pack(field.type, item) for item in value)
        return self.pack(field.type, value)

    # Decoding

    def unpack(self, kind, data):
        """The value in data, all of which must be used up."""
        reader = Reader(data)
        value = self._read(kind, reader)
        if reader.position != len(data):
            raise ValueError(f'{len(data) - reader.position} bytes are left over')
        return value

    def _read(self, kind, reader):
        if kind in NUMBERS:
            return reader.number(NUMBERS[kind])
        if kind in self.typedefs:
            return self._read_field(self.typedefs[kind], reader)
        if kind in self.structs:
            return {field.name: self._read_field(field, reader) for field in self.structs[kind]}
        case = reader.number('>i')
        return case, self._read_field(self.unions[kind][case], reader)

    def _read_field(self, field, reader):
        if field.is_optional:
            return self._read(field.type, reader) if reader.number('>i') else None
        if not field.brackets:
            return self._read(field.type, reader)
        fixed = field.brackets == '['
        count = self.constant(field.size) if fixed else reader.number('>I')
        if field.type == 'string':
            return reader.padded(count).decode()
        if field.type == 'opaque':
            return reader.padded(count)
        return [self._read(field.type, reader) for _ in range(count)]

    # Values to start from

    def empty(self, kind):
        """The smallest value of a type: zeros, empty strings and lists, nothing optional."""
        if kind in NUMBERS:
            return 0
        if kind in self.typedefs:
            return self._empty_field(self.typedefs[kind])
        if kind in self.structs:
            return {field.name: self._empty_field(field) for field in self.structs[kind]}
        case, field = next(iter(self.unions[kind].items()))
        return case, self._empty_field(field)

    def _empty_field(self, field):
        if field.is_optional:
            return None
        if field.type == 'string':
            return ''
        if field.type == 'opaque':
            return bytes(self.constant(field.size)) if field.brackets == '[' else b''
        if field.brackets == '[':
            return [self.empty(field.type)] * self.constant(field.size)
        return [] if field.brackets else self.empty(field.type)
