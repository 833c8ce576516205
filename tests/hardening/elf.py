"""What an ELF file of a 64-bit little-endian machine says of how it was built."""
import pathlib
import struct

X86_64 = 62
_DYNAMIC, _GNU_STACK, _GNU_RELRO, _LOAD = 2, 0x6474E551, 0x6474E552, 1
_SECTION_DYNAMIC, _DYNSYM = 6, 11
_TAG_NEEDED = 1
_TAG_FLAGS, _TAG_FLAGS_1 = 30, 0x6FFFFFFB
_BIND_NOW, _NOW, _PIE = 0x8, 0x1, 0x08000000
_EXECUTABLE, _WRITABLE = 1, 2


class Elf:
    def __init__(self, path):
        self._bytes = pathlib.Path(path).read_bytes()
        if self._bytes[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path} is no 64-bit little-endian ELF file")
        (self.type, self.machine, _, _, programs, sections, _, _, program_bytes, program_count,
         section_bytes, section_count, _) = struct.unpack_from("<HHIQQQIHHHHHH", self._bytes, 16)
        self._segments = [struct.unpack_from("<IIQQQQQQ", self._bytes, programs + i * program_bytes)
                          for i in range(program_count)]
        self._sections = [struct.unpack_from("<IIQQQQIIQQ", self._bytes,
                                             sections + i * section_bytes)
                          for i in range(section_count)]

    def _of(self, kind):
        return [segment for segment in self._segments if segment[0] == kind]

    def _content(self, segment):
        return self._bytes[segment[2]:segment[2] + segment[5]]

    def _tag(self, wanted):
        for segment in self._of(_DYNAMIC):
            for tag, value in struct.iter_unpack("<QQ", self._content(segment)):
                if tag == wanted:
                    return value
        return 0

    def is_pie(self):
        return bool(self._tag(_TAG_FLAGS_1) & _PIE)

    def binds_now(self):
        return bool(self._tag(_TAG_FLAGS) & _BIND_NOW or self._tag(_TAG_FLAGS_1) & _NOW)

    def has_relro(self):
        return bool(self._of(_GNU_RELRO))

    def stack_is_executable(self):
        stacks = self._of(_GNU_STACK)
        return not stacks or any(stack[1] & _EXECUTABLE for stack in stacks)

    def has_writable_code(self):
        both = _EXECUTABLE | _WRITABLE
        return any(segment[1] & both == both for segment in self._of(_LOAD))

    def libraries(self):
        """Names of the libraries that it is loaded with."""
        names = []
        for _, kind, _, _, offset, size, link, _, _, _ in self._sections:
            if kind != _SECTION_DYNAMIC:
                continue
            texts = self._sections[link][4]
            for tag, value in struct.iter_unpack("<QQ", self._bytes[offset:offset + size]):
                if tag == _TAG_NEEDED:
                    end = self._bytes.index(b"\0", texts + value)
                    names.append(self._bytes[texts + value:end].decode())
        return names

    def imports(self):
        """Names of the symbols that it asks of its libraries."""
        names = set()
        for _, kind, _, _, offset, size, link, _, _, _ in self._sections:
            if kind != _DYNSYM:
                continue
            texts = self._sections[link][4]
            for name, _, _, section, _, _ in struct.iter_unpack(
                    "<IBBHQQ", self._bytes[offset:offset + size]):
                if section == 0 and name:
                    end = self._bytes.index(b"\0", texts + name)
                    names.add(self._bytes[texts + name:end].decode())
        return names

    def count_in_code(self, instruction):
        return sum(self._content(segment).count(instruction)
                   for segment in self._of(_LOAD) if segment[1] & _EXECUTABLE)
