"""Holds a JSON value against a schema: the few words of JSON Schema that ours use."""

import json

TYPES = {'object': dict, 'array': list, 'string': str, 'boolean': bool, 'null': type(None)}
KNOWN = {'$schema', '$ref', 'title', 'definitions', 'type', 'properties', 'required', 'items',
         'additionalProperties', 'enum', 'const', 'anyOf'}


def _is_of(value, name):
    if name == 'integer':
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


class Schema:
    def __init__(self, path):
        with open(path) as stream:
            self.top = json.load(stream)

    def problems(self, value, schema=None, where='$'):
        """What is wrong with value, a line each."""
        schema = self.top if schema is None else schema
        assert not set(schema) - KNOWN, f'{where}: unknown words {set(schema) - KNOWN}'
        if '$ref' in schema:
            name = schema['$ref'].rpartition('/')[2]
            return self.problems(value, self.top['definitions'][name], where)
        if 'anyOf' in schema:
            found = [self.problems(value, choice, where) for choice in schema['anyOf']]
            return [] if [] in found else found[-1]
        types = schema.get('type', [])
        types = [types] if isinstance(types, str) else types
        if types and not any(_is_of(value, name) for name in types):
            return [f'{where}: {value!r} is none of {types}']
        if 'enum' in schema and value not in schema['enum']:
            return [f'{where}: {value!r} is none of {schema["enum"]}']
        if 'const' in schema and value != schema['const']:
            return [f'{where}: {value!r} is not {schema["const"]!r}']
        return self._inner_problems(value, schema, where)

    def _inner_problems(self, value, schema, where):
        if isinstance(value, list):
            return [line for number, item in enumerate(value)
                    for line in self.problems(item, schema['items'], f'{where}[{number}]')]
        if not isinstance(value, dict):
            return []
        properties = schema['properties']
        lines = [f'{where}: no {key}' for key in schema['required'] if key not in value]
        for key, item in value.items():
            lines += self.problems(item, properties[key], f'{where}.{key}') \
                if key in properties else [f'{where}: {key} is not described']
        return lines

    def names(self):
        """Every member's name, and every word that a member may be."""
        found = set()
        for schema in [self.top, *self.top['definitions'].values()]:
            for name, member in schema['properties'].items():
                found |= {name, *member.get('enum', [])}
        return found
