#!/bin/sh
# Builds libgumbel4j and runs its tests. Needs a C compiler (gcc 12, clang 14 or newer) and a POSIX shell, nothing else.
#
#   GUMBEL4J_VERSION=0.1.0 native/build.sh OUTPUT_DIR        OUTPUT_DIR/libgumbel4j.so; does nothing when it is up to date
#   GUMBEL4J_VERSION=0.1.0 native/build.sh test OUTPUT_DIR   builds it and runs every test on every tier of this machine
#
# The compiler is $CC, else the first of cc, gcc, clang on the path. Exit status: 0 done, 1 failed, 2 wrong usage, 3 no C compiler.
# Flags are kept in plain variables and split into words on purpose.
# shellcheck disable=SC2086,SC2046
set -eu

fail() {
    status=$1
    shift
    echo "native/build.sh: $*" >&2
    exit "$status"
}

action="build"
if [ "${1-}" = test ]; then
    action="test"
    shift
fi
if [ $# -ne 1 ] || [ -z "$1" ]; then
    fail 2 "usage: GUMBEL4J_VERSION=VERSION native/build.sh [test] OUTPUT_DIR"
fi
version=${GUMBEL4J_VERSION-}
case $version in
'') fail 2 "GUMBEL4J_VERSION is not set; set it to the version of the project, as GUMBEL4J_VERSION=0.1.0" ;;
*[!0-9A-Za-z.+-]*) fail 2 "GUMBEL4J_VERSION is '$version'; only letters, digits, '.', '+' and '-' are allowed" ;;
esac

for compiler in ${CC:+"$CC"} cc gcc clang none; do
    # $CC may hold arguments after the command, as in CC="ccache gcc"
    if command -v "${compiler%% *}" >/dev/null 2>&1; then break; fi
    if [ "$compiler" = "${CC-}" ]; then fail 2 "CC is '$CC', which is not on the path; unset it or set it to a C compiler"; fi
done
if [ "$compiler" = none ]; then
    fail 3 "no C compiler found (looked for cc, gcc, clang); install one, as with 'apt-get install gcc' or 'dnf install gcc', or set CC"
fi

mkdir -p "$1"
output=$(cd "$1" && pwd)
cd "$(dirname "$0")"

# ---- flags: the same for every file, then what a tier adds ----

warnings="-Wall -Wextra -Werror"
# Bits must not depend on the compiler: no contraction to fma but where written, and nothing from -ffast-math.
language="-std=c11 -ffp-contract=off -fno-math-errno -fno-trapping-math"
define="-DGUMBEL4J_VERSION=\"$version\""
flags_of() {
    case $1 in
    src/tier_avx2.c) echo "-mavx2 -mfma" ;;
    esac
}
sources="src/gumbel4j.c src/choose_tier.c src/tier_base.c"
case $($compiler -dumpmachine) in
x86_64*) sources="$sources src/tier_avx2.c" ;;
esac

# compile FLAGS DIRECTORY: every source to an object in DIRECTORY
compile() {
    rm -rf "$2"
    mkdir -p "$2"
    for source in $sources; do
        $compiler $1 $language $warnings "$define" $(flags_of "$source") -Iinclude -c "$source" -o "$2/$(basename "$source" .c).o"
    done
}

build_library() {
    library=$output/libgumbel4j.so
    stamp=$output/libgumbel4j.stamp
    built_as="$version $($compiler --version | head -n 1)"
    if [ -f "$library" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$built_as" ] \
        && [ -z "$(find build.sh include src -newer "$library" -type f)" ]; then
        return
    fi
    rm -f "$stamp"
    compile "-O3 -fPIC -fvisibility=hidden" "$output/objects"
    $compiler -shared -Wl,-z,defs -o "$library.new" "$output"/objects/*.o -lm
    mv "$library.new" "$library"
    printf '%s\n' "$built_as" >"$stamp"
    echo "built $library ($version)"
}

# ---- tests ----

# run_programs DIRECTORY LABEL: every test program of DIRECTORY on every tier of this machine
run_programs() {
    best=$(unset GUMBEL4J_MAX_ISA && "$1/isa")
    for tier in base avx2; do
        for program in "$1"/*_test; do
            status=0
            line=$(GUMBEL4J_MAX_ISA=$tier "$program" 2>&1) || status=$?
            printf '%s\n' "$line" | sed "\$s/\$/ ($tier$2)/"
            counts=$(printf '%s\n' "$line" | sed -n '$s/^.*: \([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p')
            case "$status $counts" in
            "0 "[0-9]*" 0") ;;
            *) broken="$broken $(basename "$program")($tier$2)" ;;
            esac
            passed=$((passed + ${counts% *} + 0))
            failed=$((failed + ${counts#* } + 0))
        done
        if [ "$tier" = "$best" ]; then break; fi
    done
}

# What the library exports is what the header declares.
check_symbols() {
    declared=$(sed -n 's/^GUMBEL4J_API .*\(gumbel4j_[a-z0-9_]*\)(.*/\1/p' include/gumbel4j.h | sort)
    exported=$(nm -D --defined-only "$output/libgumbel4j.so" | sed 's/.* //' | sort)
    if [ "$declared" = "$exported" ]; then
        echo "symbols: 1 passed, 0 failed"
        passed=$((passed + 1))
    else
        echo "symbols: the header declares [$declared], the library exports [$exported]"
        broken="$broken symbols"
        failed=$((failed + 1))
    fi
}

# A cap that names no tier must not be taken for none.
check_unknown_cap() {
    if [ "$(GUMBEL4J_MAX_ISA=unheard-of "$output/tests/isa")" = base ]; then
        echo "unknown cap: 1 passed, 0 failed"
        passed=$((passed + 1))
    else
        echo "unknown cap: GUMBEL4J_MAX_ISA=unheard-of does not give the base tier"
        broken="$broken unknown-cap"
        failed=$((failed + 1))
    fi
}

# build_tests DIRECTORY FLAGS LINKED...: every program of test/ to DIRECTORY
build_tests() {
    directory=$1 flags=$2
    shift 2
    mkdir -p "$directory"
    for source in test/*.c; do
        $compiler $flags $language $warnings -Iinclude "$source" -o "$directory/$(basename "$source" .c)" "$@" -lm
    done
}

run_tests() {
    passed=0 failed=0 broken=
    rm -rf "$output/tests" "$output/tests-sanitized"
    build_tests "$output/tests" -O2 "-L$output" "-Wl,-rpath,$output" -lgumbel4j
    run_programs "$output/tests" ""
    check_symbols
    check_unknown_cap

    # within the programs, so that the sanitizers see the kernels
    sanitizers="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
    mkdir "$output/tests-sanitized"
    if echo 'int main(void) { return 0; }' | $compiler $sanitizers -x c - -o "$output/tests-sanitized/probe" 2>/dev/null; then
        compile "$sanitizers" "$output/tests-sanitized"
        build_tests "$output/tests-sanitized" "$sanitizers" "$output"/tests-sanitized/*.o
        run_programs "$output/tests-sanitized" ", sanitized"
    else
        echo "not run: the sanitized tests, because $compiler has no address sanitizer; install its run-time library (libasan)"
    fi

    if [ -n "$broken" ]; then echo "failed:$broken"; fi
    echo "$passed passed, $failed failed"
    [ -z "$broken" ]
}

build_library
if [ "$action" = test ]; then run_tests; fi
