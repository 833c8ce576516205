"""The mechanical rules of the house. Taste is for reviewers; what a program can see is here.

A rule is a generator of findings "path:line: what is wrong, and what to do". It carries a small
tree that it must object to (a rule that never finds anything proves nothing) and one that it must
accept; tidy_test.py checks both, and then this tree.
"""

import collections
import posixpath
import re

from tree import CODE, SCRIPTS

Rule = collections.namedtuple("Rule", "name check bad good")
RULES = []


def rule(bad, good):
    """Registers a rule; `bad` and `good` are trees as {path: text}."""

    def register(check):
        RULES.append(Rule(check.__name__, check, bad, good))
        return check

    return register


# --- who may include what -------------------------------------------------------------------------

# Third-party headers: pattern, where they may be included, and whether headers of ours may do so (a
# heavy one would be paid for by everybody who includes ours). tests/ may reach anything.
Fence = collections.namedtuple("Fence", "pattern allowed in_headers")
FENCES = [
    Fence(
        r"zmq(_addon)?\.(h|hpp)",
        r"shared/(transport|security)/|bench/fleet/(crowd|rivals)/",
        True,
    ),
    Fence(r"hiredis/.*|amqp(_framing|_tcp_socket)?\.h", r"bench/fleet/rivals/", False),
    # Not in the worker: 118 libraries, and most of what a picture could attack.
    Fence(r"opencv2/imgcodecs.*", r"worker/imgcodecs/|producer/sources/|bench/vision/", False),
    Fence(
        r"opencv2/.*",
        r"worker/(cascades|detectors|decoding|imgcodecs|networks)/|"
        r"producer/(capture|motion|sources)/|bench/vision/",
        True,
    ),
    Fence(r"onnxruntime_cxx_api\.h", r"worker/networks/", False),
    Fence(r"prometheus/.*", r"shared/telemetry/|.*_metrics\.[ch]pp", True),
    Fence(r"spdlog/.*", r"shared/telemetry/", False),
    Fence(r"httplib\.h", r"shared/telemetry/", False),
    Fence(r"msgpack(\.hpp|/.*)", r"shared/wire/", False),
    Fence(r"toml\+\+/.*|CLI/.*", r"shared/config/", False),
    Fence(r"sodium(\.h|/.*)", r"shared/security/", False),
    Fence(r"sqlite3\.h", r"sink/stores/", False),
    Fence(r"lmdb\.h", r"broker/journals/", True),
    Fence(r"turbojpeg\.h", r"worker/decoding/|producer/capture/", False),
    Fence(r"png\.h|webp/.*", r"worker/decoding/", False),
    # FFmpeg reads strangers' streams in a program of its own.
    Fence(r"linux/videodev2\.h", r"producer/capture/", False),
    Fence(r"lib(av(codec|format|util)|swscale)/.*", r"producer/capture/|bench/vision/", True),
    Fence(r"seccomp\.h", r"(worker/pool|producer/capture)/", False),
    Fence(r"nlohmann/.*", r"(?!.*/core/).*", False),
    Fence(r"fmt/.*", r".*", True),
    Fence(r"tl/.*", r"shared/base/result\.hpp", True),
    Fence(r"catch2/.*", r"tests/support/", True),
    Fence(r"rapidcheck.*", r"tests/", True),
    Fence(r"libdeflate\.h", r"broker/journals/", False),
    Fence(r"zlib\.h", r"tests/unit/worker/", False),
    Fence(r"benchmark/.*|valgrind/.*", r"bench/", False),
    Fence(r"malloc\.h", r"bench/", False),
    Fence(r"gperftools/.*", r"shared/processes/", False),
]
STANDARD_HEADER = re.compile(r"[a-z_0-9]+")  # <vector>, <cstdint>: no dot, no folder
POSIX_HEADER = re.compile(
    r"(sys|linux|netinet|arpa|net)/[a-z_]+\.h|"
    r"(unistd|fcntl|poll|signal|spawn|pthread|sched|pwd|netdb|dirent|termios|errno|time|glob)\.h"
)
# In the language of GCC 12 but not of Clang 14, or the other way round.
UNSHARED_HEADERS = {"format", "expected", "source_location", "coroutine", "print", "generator"}


@rule(
    bad={
        "broker/shell.cpp": "#include <zmq.hpp>\n",
        "sink/core/deduper.cpp": "#include <nlohmann/json.hpp>\n",
        "shared/config/options.hpp": "#include <toml++/toml.h>\n",
        "shared/base/text.cpp": "#include <boost/algorithm/string.hpp>\n",
        "worker/pool/pool.cpp": "#include <format>\n",
        "worker/decoding/decoder.cpp": "#include <opencv2/imgcodecs.hpp>\n",
    },
    good={
        "shared/transport/endpoint.cpp": "#include <vector>\n#include <zmq.hpp>\n",
        "broker/broker_metrics.hpp": "#include <prometheus/registry.h>\n// #include <zmq.hpp>\n",
        "cli/report.cpp": "#include <nlohmann/json.hpp>\n#include <sys/stat.h>\n",
        "tests/integration/raw_socket_test.cpp": "#include <zmq.hpp>\n",
    },
)
def third_party_headers_stay_behind_their_fences(tree):
    for path in tree.paths(*CODE):
        for number, mark, name in tree.includes(path):
            if mark != "<" or POSIX_HEADER.fullmatch(name):
                continue
            where = f"{path}:{number}: <{name}>"
            if name in UNSHARED_HEADERS:
                yield f"{where} is not in the C++ that GCC 12 and Clang 14 share"
                continue
            if STANDARD_HEADER.fullmatch(name):
                continue
            fence = next((f for f in FENCES if re.fullmatch(f.pattern, name)), None)
            if fence is None:
                yield f"{where} belongs to no fence: write into tests/tidy/rules.py who may use it"
            elif path.startswith("tests/") and not fence.allowed.startswith("tests/"):
                continue
            elif not re.match(fence.allowed, path):
                yield f"{where} may be included by {fence.allowed} alone"
            elif path.endswith(".hpp") and not fence.in_headers:
                yield f"{where} is heavy: include it in a .cpp file"


# Our own folders: what each may include. The first match counts; tests/ may reach anything.
LAYERS = [
    (r"shared/base/", r"shared/base/"),
    (r"shared/processes/", r"shared/(base|processes)/"),
    (r"shared/wire/", r"shared/(base|wire)/"),
    (r"shared/security/", r"shared/(base|security)/"),
    (r"shared/transport/", r"shared/(base|wire|security|transport)/"),
    (r"shared/config/", r"shared/(base|config)/"),
    (r"shared/access/", r"shared/(base|config|security|access)/"),
    (r"shared/telemetry/", r"shared/(base|config|processes|telemetry)/"),
    (r"(broker|worker|producer|sink)/core/", r"shared/base/|{0}/core/"),
    (r"worker/decoding/", r"shared/base/|worker/decoding/"),
    (r"worker/cascades/", r"worker/(cascades|decoding)/"),
    (r"worker/networks/", r"shared/base/|worker/(networks|decoding)/"),
    (r"worker/detectors/", r"shared/base/|worker/(cascades|detectors|decoding|networks)/"),
    (r"worker/pool/", r"shared/(base|processes|wire)/|worker/(pool|detectors|decoding|networks)/"),
    (r"worker/imgcodecs/", r"shared/(base|processes)/|worker/(imgcodecs|pool|decoding)/"),
    (r"producer/cameras/", r"shared/(base|processes)/|producer/(cameras|motion)/"),
    (r"producer/capture/", r"shared/(base|processes)/|producer/(capture|cameras|motion)/"),
    (r"producer/motion/", r"shared/base/|producer/motion/"),
    (r"producer/sources/", r"shared/(base|security)/|producer/(cameras|sources)/"),
    (r"sink/stores/", r"shared/(base|wire)/|sink/stores/"),
    (r"broker/access/", r"shared/(access|base|security)/|broker/access/"),
    (r"broker/journals/", r"shared/(base|wire)/|broker/journals/"),
    (r"(broker|worker|producer|sink)/main\.cpp", r"shared/|{0}/[^/]+$"),
    (r"(broker|worker|producer|sink)/", r"shared/|{0}/"),
    (r"cli/", r"shared/|cli/|sink/stores/(report|job_reader)\.hpp$|producer/core/submission\.hpp$"
     r"|broker/journals/journal_tools\.hpp$|producer/sources/(file_search|plan)\.hpp$"
     r"|worker/decoding/image_gate\.hpp$"),
    (r"bench/", r"(?!tests/)"),
    (r"tests/", r""),
]


@rule(
    bad={
        "shared/base/time.hpp": '#include "shared/wire/codec.hpp"\n',
        "shared/wire/codec.cpp": '#include "shared/transport/endpoint.hpp"\n',
        "broker/core/dispatcher.cpp": '#include "shared/telemetry/log.hpp"\n',
        "broker/shell.cpp": '#include "worker/core/session.hpp"\n',
        "worker/main.cpp": '#include "worker/core/session.hpp"\n',
        "cli/run.cpp": '#include "sink/stores/sqlite_store.hpp"\n',
        "sink/shell.cpp": '#include "tests/support/catch.hpp"\n#include "shell.hpp"\n',
    },
    good={
        "shared/transport/endpoint.cpp": '#include "shared/wire/codec.hpp"\n',
        "broker/core/dispatcher.cpp": '#include "broker/core/backlog.hpp"\n',
        "broker/shell.cpp": '#include "broker/core/dispatcher.hpp"\n#include "shared/wire/a.hpp"\n',
        "worker/main.cpp": '#include "worker/shell.hpp"\n#include "shared/config/a.hpp"\n',
        "cli/run.cpp": '#include "sink/stores/report.hpp"\n',
        "tests/simulation/fleet.cpp": '#include "broker/core/dispatcher.hpp"\n',
    },
)
def includes_follow_the_layers(tree):
    for path in tree.paths(*CODE):
        layer = None
        for pattern, allowed in LAYERS:
            match = re.match(pattern, path)
            if match:
                layer = re.compile(allowed.format(*match.groups()))
                break
        if layer is None:
            yield f"{path}:1: is in no folder that docs/ARCHITECTURE.md knows"
            continue
        for number, mark, name in tree.includes(path):
            if mark == '"' and not layer.match(name):
                yield f'{path}:{number}: "{name}" is out of reach; allowed: {layer.pattern}'


# --- files ----------------------------------------------------------------------------------------

SOURCE_LINES_MAX = 500
HEADER_LINES_MAX = 250
COLUMNS_MAX = 100


@rule(
    bad={"broker/shell.cpp": "\n" * 501, "broker/shell.hpp": "\n" * 251, "tests/a.py": "\n" * 501},
    good={"broker/shell.cpp": "\n" * 500, "broker/shell.hpp": "\n" * 250},
)
def files_are_small(tree):
    for path in tree.paths(*CODE, *SCRIPTS):
        limit = HEADER_LINES_MAX if path.endswith(".hpp") else SOURCE_LINES_MAX
        count = tree.files[path].count("\n")
        if count > limit:
            yield f"{path}:{count}: {count} lines, {limit} allowed: split it by reason to change"


@rule(
    bad={"broker/shell.cpp": "// " + "x" * 98 + "\n", "scripts/a.sh": "# " + "x" * 99 + "\n"},
    good={"broker/shell.cpp": "// " + "ö" * 97 + "\n"},
)
def lines_fit_in_100_columns(tree):
    for path in tree.paths(*CODE, *SCRIPTS):
        for number, line in tree.lines(path):
            if len(line) > COLUMNS_MAX:
                yield f"{path}:{number}: {len(line)} columns, {COLUMNS_MAX} are allowed"


@rule(
    bad={
        "broker/CMakeLists.txt": "framefleet_library(broker SOURCES shell.cpp)\n",
        "broker/shell.cpp": "",
        "broker/forgotten.cpp": "",
        "tests/CMakeLists.txt": "foreach(folder unit/base)\n",
        "tests/unit/base/CMakeLists.txt": "framefleet_test(base_test SOURCES time_test.cpp)\n",
        "tests/unit/base/time_test.cpp": "",
        "tests/unit/lost/CMakeLists.txt": "framefleet_test(lost_test SOURCES lost_test.cpp)\n",
        "tests/unit/lost/lost_test.cpp": "",
        "tests/e2e/client_test.py": "",
    },
    good={
        "broker/CMakeLists.txt": "framefleet_library(broker SOURCES core/lease.cpp)\n",
        "broker/core/lease.cpp": "",
        "CMakeLists.txt": "add_subdirectory(broker)\n",
    },
)
def every_source_is_built(tree):
    """A test that no CMakeLists.txt names is a test that nobody runs."""

    def named(path):
        """Whether a CMakeLists.txt above `path` names it, as written from its own folder."""
        folder = path
        while folder:
            folder = posixpath.dirname(folder)
            lists = tree.files.get(posixpath.join(folder, "CMakeLists.txt"), "")
            relative = re.escape(posixpath.relpath(path, folder or "."))
            if re.search(rf"((?<![\w./-])|(?<=\}}/)){relative}(?![\w-])", lists):
                return True
        return False

    for path in tree.paths(".cpp", "_test.py"):
        # What needs more than our own processes is a step of the checks.
        in_checks = re.match(r"tests/docker/", path) and path in tree.files.get(
            "tests/docker/run.sh", "")
        if not named(path) and not in_checks:
            yield f"{path}:1: no CMakeLists.txt names it, so nothing builds or runs it"
    for path in tree.paths("/CMakeLists.txt"):
        if not named(posixpath.dirname(path)) and not path.startswith("tests/support/"):
            yield f"{path}:1: no CMakeLists.txt above it adds this folder"


@rule(
    bad={
        "broker/shell.hpp": "// What it is.\n#pragma once\n",
        "broker/other.hpp": "#pragma once\n#include <vector>\n",
    },
    good={"broker/shell.hpp": "#pragma once\n// What it is.\n"},
)
def headers_begin_with_their_role(tree):
    for path in tree.paths(".hpp"):
        lines = [line for line in tree.files[path].splitlines() if line.strip()]
        if not lines or lines[0] != "#pragma once":
            yield f"{path}:1: a header begins with #pragma once"
        elif len(lines) < 2 or not lines[1].startswith("//"):
            yield f"{path}:2: a header says in a comment what it is for before it does anything"


# --- code -----------------------------------------------------------------------------------------

# What reaches outside: pattern, where it may be, what to use.
OUTSIDE = [
    (
        # Threads that work measure their own work and depend on base alone.
        r"\bsteady_clock\b",
        r"worker/(detectors|pool)/",
        "a core is given the time; a shell takes it from shared/telemetry/monotonic.hpp",
    ),
    (
        r"\b(system|high_resolution|file)_clock\b|\b(clock_gettime|gettimeofday)\s*\("
        r"|(?<![\w.>])(?:std::)?time\s*\(\s*(nullptr|NULL|0|&)",
        # The sandbox reads how much CPU a child has used, to give it more.
        r"shared/telemetry/monotonic\.cpp|worker/pool/sandbox\.cpp",
        "a core is given the time; a shell takes it from shared/telemetry/monotonic.hpp",
    ),
    (
        # The stub detector and failpoints are slow because tests ask it of them.
        r"\b(sleep_for|sleep_until|nanosleep|usleep)\s*\(|(?<![\w.>:])(::)?sleep\s*\(",
        r"worker/detectors/stub\.cpp|tests/failpoints/",
        "wait for what you wait for: a message, a deadline, a child",
    ),
    (
        # Tests have a switch that rewrites what is expected.
        r"\b(secure_)?getenv\s*\(|\benviron\b",
        r"shared/config/|tests/",
        "options come from shared/config, which also names their origin",
    ),
    (
        r"\bstd::exit\s*\(|(?<![\w.>:])exit\s*\(|\bquick_exit\s*\(|\.detach\s*\(\s*\)",
        r"$",
        "main returns a code, threads are joined",
    ),
    (
        r"\bstd::(rand|srand|random_device)\b",
        r"shared/security/|tests/",
        "a core is given its random numbers; keys and tokens come from shared/security",
    ),
]


@rule(
    bad={
        "broker/core/a.cpp": "auto now = std::chrono::steady_clock::now();\n",
        "sink/shell.cpp": "std::this_thread::sleep_for(1s);\n",
        "tests/unit/base/a_test.cpp": "sleep(1);\n",
        "producer/shell.cpp": 'const char* home = std::getenv("HOME");\n',
        "cli/main.cpp": "std::exit(1);\n",
        "worker/core/a.cpp": "auto stamp = std::time(nullptr);\n",
    },
    good={
        "shared/telemetry/monotonic.cpp": "clock_gettime(CLOCK_MONOTONIC, &now);\n",
        "worker/detectors/stub.cpp": "std::this_thread::sleep_for(left);\n",
        "shared/config/environment.cpp": "std::getenv(name);\n",
        "broker/core/a.cpp": '// steady_clock is not for us\nf("sleep(1)");\nlease.time(0);\n',
    },
)
def time_sleep_and_environment_have_one_door(tree):
    for path in tree.paths(*CODE):
        for number, line in tree.code_lines(path, strings=True):
            for pattern, allowed, instead in OUTSIDE:
                match = re.search(pattern, line)
                if match and not re.match(allowed, path):
                    yield f"{path}:{number}: {match.group(0).strip()}: {instead}"


TYPE_NAME = re.compile(
    r"\b(?:class|struct|enum(?:\s+class)?|concept|using)\s+([A-Z]\w*)\s*(?=[:{;=]|final\b|$)"
)
NOT_TYPE_WORDS = {"Manager", "Handler", "Helper", "Util", "Utils", "Utility", "Processor"}
NOT_TYPE_WORDS |= {"Data", "Info", "Impl"}
NOT_FILE_WORDS = {"manager", "handler", "helper", "helpers", "util", "utils", "utility"}
NOT_FILE_WORDS |= {"processor", "info", "impl", "common", "misc", "types"}


@rule(
    bad={
        "broker/lease_manager.hpp": "",
        "broker/a.hpp": "class TaskHandler {\n",
        "broker/b.hpp": "struct FrameData;\n",
        "shared/base/utils.cpp": "",
    },
    good={
        "broker/lease_table.hpp": "class LeaseTable {\nstruct Database {\nusing Inform = int;\n",
        "tests/support/test_data.hpp": "// TaskHandler\n",
    },
)
def names_say_something(tree):
    for path in tree.paths(*CODE, *SCRIPTS):
        stem = posixpath.basename(path).rsplit(".", 1)[0]
        for word in NOT_FILE_WORDS.intersection(stem.split("_")):
            yield f'{path}:1: "{word}" says nothing: name the file after what is in it'
    for path in tree.paths(*CODE):
        for number, line in tree.code_lines(path, strings=True):
            for name in TYPE_NAME.findall(line):
                words = re.findall(r"[A-Z][a-z0-9]*", name)
                for word in NOT_TYPE_WORDS.intersection(words):
                    yield f'{path}:{number}: {name}: "{word}" says nothing: name what it is or does'


# Written with brackets, so that this file does not find itself.
LEFT_OPEN = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b")


@rule(
    bad={"broker/a.cpp": "// TO" "DO: later\n", "scripts/a.sh": "# FIX" "ME\n"},
    good={"broker/a.cpp": "// todos los santos\n"},
)
def nothing_is_left_open_in_the_code(tree):
    for path in tree.paths(*CODE, *SCRIPTS, ".cmake", "CMakeLists.txt"):
        for number, line in tree.lines(path):
            match = LEFT_OPEN.search(line)
            if match:
                yield f"{path}:{number}: {match.group(0)}: do it, or open an issue"


SUPPRESSION = re.compile(r"NOLINT\w*(\([^)]*\))?(?P<why>.*)|shellcheck disable=\S+(?P<why_sh>.*)")


@rule(
    bad={
        "broker/a.cpp": "f();  // NOLINT(bugprone-x)\n",
        "broker/b.cpp": "f();  // NOLINT\n",
        "scripts/a.sh": "# shellcheck disable=SC2034\n",
    },
    good={
        "broker/a.cpp": "f();  // NOLINT(bugprone-x): the C API wants it mutable\n",
        "scripts/a.sh": "# shellcheck disable=SC2034 # read by lib.sh\n",
    },
)
def suppressions_give_their_reason(tree):
    for path in tree.paths(*CODE, ".sh"):
        for number, line in tree.lines(path):
            match = SUPPRESSION.search(line)
            reason = match and (match.group("why") or match.group("why_sh") or "")
            if match and len(re.findall(r"\w{2,}", reason)) < 2:
                yield f"{path}:{number}: a suppression gives its reason on the same line"


CMAKE_BANNED = [
    (r"\bfile\s*\(\s*GLOB", "list the files: a glob does not see what is new"),
    (r"\bFetchContent|\bExternalProject|\bfile\s*\(\s*DOWNLOAD", "a build fetches nothing"),
    (r"^\s*(include|link)_directories\s*\(", "say it for one target"),
    (r"\bset\s*\(\s*CMAKE_CXX_FLAGS", "flags belong to cmake/Warnings.cmake"),
]


@rule(
    bad={
        "broker/CMakeLists.txt": "file(GLOB sources *.cpp)\n",
        "cmake/Other.cmake": "include(FetchContent)\n",
        "sink/CMakeLists.txt": 'set(CMAKE_CXX_FLAGS "-O3")\n',
    },
    good={"broker/CMakeLists.txt": "target_include_directories(broker PRIVATE .)  # file(GLOB)\n"},
)
def cmake_lists_what_it_builds(tree):
    for path in tree.paths("CMakeLists.txt", ".cmake"):
        for number, line in tree.lines(path):
            for pattern, instead in CMAKE_BANNED:
                match = re.search(pattern, line.split("#")[0])
                if match:
                    yield f"{path}:{number}: {match.group(0).strip()}: {instead}"
