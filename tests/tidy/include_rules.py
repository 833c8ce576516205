"""The rule about headers that are read once for all (cmake/FramefleetLibrary.cmake): a source that
forgets one compiles with them, and does not without."""

import re

from rules import rule
from tree import CODE, strip_comments

# What nobody has without the header, in the words that this tree uses of it.
GIVES = {
    "algorithm": r"std::(?:ranges::)?(?:sort|find|find_if|any_of|all_of|none_of|clamp|transform)\b",
    "array": r"std::array\b",
    "chrono": r"std::chrono\b",
    "filesystem": r"std::filesystem\b",
    "functional": r"std::function\b",
    "map": r"std::(?:multi)?map\b",
    "memory": r"std::(?:unique_ptr|shared_ptr|make_unique|make_shared)\b",
    "optional": r"std::(?:optional|nullopt)\b",
    "span": r"std::(?:span|as_bytes)\b",
    "string": r"std::(?:string|to_string)\b",
    "variant": r"std::(?:variant|visit|get_if|holds_alternative|monostate)\b",
    "vector": r"std::vector\b",
    "fmt/format.h": r"\bfmt::(?:format|format_to|formatter|memory_buffer)\b",
    "tl/expected.hpp": r"\btl::expected\b",
}


def reached(tree, path, known):
    """Names of what `path` includes in angle brackets, by itself or through headers of ours."""
    if path not in known:
        known[path] = set()
        for _, mark, name in tree.includes(path) if path in tree.files else ():
            known[path] |= {name} if mark == "<" else reached(tree, name, known)
    return known[path]


@rule(
    bad={
        "broker/shell.cpp": "std::vector<int> all;\n",
        "broker/core/backlog.cpp": '#include "broker/core/backlog.hpp"\nstd::span<int> some;\n',
        "broker/core/backlog.hpp": "#include <vector>\nstd::map<int, int> by_id;\n",
    },
    good={
        "broker/shell.cpp": '#include "broker/shell.hpp"\nstd::vector<int> all;\n',
        "broker/shell.hpp": '#include "shared/base/ids.hpp"\n',
        "shared/base/ids.hpp": '#include <vector>\n// std::map\n#include "broker/shell.hpp"\n',
    },
)
def files_include_what_they_lean_on(tree):
    known = {}
    for path in tree.paths(*CODE):
        code = strip_comments(tree.files[path], strings=True)
        for header, words in GIVES.items():
            found = re.search(words, code)
            if found and header not in reached(tree, path, known):
                line = code.count("\n", 0, found.start()) + 1
                yield f"{path}:{line}: {found.group(0)}: include <{header}>"
