"""Every program that is installed has what cmake/Hardening.cmake asks for, as its file says (no
readelf is needed); what leaves no mark in a file (-fstack-clash-protection) is looked for in the
commands that compiled it. And it allocates with what cmake/FramefleetLibrary.cmake names. A program
built without any of it is objected to in every point but writable code, which no linker makes
unless it is told to link by hand.

    programs_test.py --compiler CXX --commands BUILD/compile_commands.json PROGRAM...

The mark by which a kernel would enforce the landing places of indirect jumps (GNU property IBT) is
not asked for: Debian's own start files and libraries do not have it. The places themselves are.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from elf import X86_64, Elf

LANDING_PLACE = b"\xf3\x0f\x1e\xfa"  # endbr64
# The C library's start files bring fewer.
LANDING_PLACES_MIN = 20
COMPILED_WITH = ("-D_FORTIFY_SOURCE=3", "-D_GLIBCXX_ASSERTIONS", "-fstack-protector-strong",
                 "-fstack-clash-protection", "-fcf-protection=full", "-fPIE")
OF_X86_ALONE = ("-fcf-protection=full",)
SHIPPED = ("shared", "broker", "worker", "producer", "sink", "cli")


def faults_of(program):
    elf = Elf(program)
    imports = elf.imports()
    fortified = [name for name in imports if name.endswith("_chk")]
    checks = [
        (elf.is_pie(), "its place in memory is always the same (no PIE)"),
        (elf.has_relro() and elf.binds_now(), "its jump tables stay writable (no full RELRO)"),
        (not elf.stack_is_executable(), "its stack is executable"),
        (not elf.has_writable_code(), "it has memory that is writable and executable"),
        ("__stack_chk_fail" in imports, "no function guards its stack (-fstack-protector-strong)"),
        (bool(fortified), "no call is fortified (_FORTIFY_SOURCE)"),
        (any("__glibcxx_assert_fail" in name for name in imports),
         "no index is checked (_GLIBCXX_ASSERTIONS)"),
        (elf.machine != X86_64 or elf.count_in_code(LANDING_PLACE) >= LANDING_PLACES_MIN,
         "no landing places for indirect jumps (-fcf-protection)"),
        (any(name.startswith("libtcmalloc_minimal.so") for name in elf.libraries()),
         "it allocates with the C library's malloc (docs/adr/0033)"),
    ]
    return [words for holds, words in checks if not holds]


def faults_of_commands(path, machine):
    tree, build = pathlib.Path(__file__).resolve().parents[2], pathlib.Path(path).resolve().parent
    asked = [flag for flag in COMPILED_WITH if machine == X86_64 or flag not in OF_X86_ALONE]
    faults = []
    count = 0
    for entry in json.loads(pathlib.Path(path).read_text()):
        file = pathlib.Path(entry["file"]).resolve()
        # As it is in the tree, or several of them as they are put together in the build's folder.
        root = build if "Unity" in file.parts else tree
        if not file.is_relative_to(root):
            continue
        name = file.relative_to(root)
        if name.parts[0] not in SHIPPED:
            continue
        count += 1
        words = entry["command"].split()
        missing = [flag for flag in asked if flag not in words]
        if missing:
            faults.append(f"{name} is compiled without {' '.join(missing)}")
    return faults if count else [f"{path} names no source of ours"]


def bare_program(compiler, folder):
    """As a compiler builds it that is asked for nothing."""
    source = folder / "bare.cpp"
    source.write_text("#include <cstdio>\nint main(int, char** words) { std::puts(words[0]); }\n")
    program = folder / "bare"
    subprocess.run([compiler, "-O0", "-U_FORTIFY_SOURCE", "-fno-stack-protector", "-fno-pie",
                    "-no-pie", "-Wl,-z,norelro", "-Wl,-z,lazy", "-Wl,-z,execstack", source, "-o",
                    program], check=True, timeout=60, stderr=subprocess.DEVNULL)
    return program


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--commands", required=True)
    parser.add_argument("programs", nargs="+")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bare = bare_program(given.compiler, pathlib.Path(folder))
        wanted = 8 if Elf(bare).machine == X86_64 else 7
        if len(faults_of(bare)) != wanted:
            print(f"a program without protections is found to lack only {faults_of(bare)}")
            return 1
    faults = faults_of_commands(given.commands, Elf(given.programs[0]).machine)
    for program in given.programs:
        faults += [f"{program}: {words}" for words in faults_of(program)]
        elf = Elf(program)
        fortified = sorted(name for name in elf.imports() if name.endswith("_chk"))
        print(f"{pathlib.Path(program).name}: {elf.count_in_code(LANDING_PLACE)} landing places,"
              f" fortified: {' '.join(fortified)}")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
