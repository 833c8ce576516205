"""The tree as the tidy rules see it: the text of every source file, and lines without comments."""

import os
import re

SKIPPED_FOLDERS = re.compile(r"\..*|build.*|cmake-build.*|results|__pycache__")
CODE = (".cpp", ".hpp")
SCRIPTS = (".py", ".sh")
TEXT_ENDINGS = CODE + SCRIPTS + (".md", ".jsonl", ".cmake", "CMakeLists.txt")

_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\d)'(?:\\.|[^'\\\n])+'""",
    re.DOTALL,
)


def strip_comments(text, strings=False):
    """C++ without comments and, where asked, without the contents of strings. Lines stay lines."""

    def blank(match):
        found = match.group(0)
        if found.startswith("/"):
            return "\n" * found.count("\n")
        if strings and not found.startswith("'"):
            return '""' + "\n" * found.count("\n")
        return found

    return _TOKEN.sub(blank, text)


class Tree:
    """All text files below `root`, by path from there, with forward slashes."""

    def __init__(self, root):
        self.root = root
        self.files = {}
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not SKIPPED_FOLDERS.fullmatch(name)]
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), root)
                if name.endswith(TEXT_ENDINGS):
                    with open(os.path.join(root, path), encoding="utf-8") as file:
                        self.files[path] = file.read()

    def paths(self, *endings):
        return [path for path in sorted(self.files) if path.endswith(endings)]

    def exists(self, path):
        return os.path.exists(os.path.join(self.root, path))

    def lines(self, path):
        return enumerate(self.files[path].splitlines(), start=1)

    def code_lines(self, path, strings=False):
        """Numbered lines of a C++ file without its comments."""
        return enumerate(strip_comments(self.files[path], strings).splitlines(), start=1)

    def includes(self, path):
        """(line number, opening character, name) of every #include of a C++ file."""
        for number, line in self.code_lines(path):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if match:
                yield number, match.group(1), match.group(2)
