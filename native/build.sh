#!/bin/sh
# Builds libgumbel4j and runs its tests. Needs a C compiler (gcc 12, clang 14 or newer) and a POSIX shell, nothing else.
#
#   GUMBEL4J_VERSION=0.1.0 native/build.sh OUTPUT_DIR        OUTPUT_DIR/libgumbel4j.so; does nothing when it is up to date
#   GUMBEL4J_VERSION=0.1.0 native/build.sh test OUTPUT_DIR   builds it and runs every test on every tier of this machine
#
# The compiler is $CC, else the first of cc, gcc, clang on the path. Exit status: 0 done, 1 failed, 2 wrong usage, 3 no C compiler.
set -eu

fail() {
    status=$1
    shift
    echo "native/build.sh: $*" >&2
    exit "$status"
}

action=build
if [ "${1-}" = test ]; then
    action=test
    shift
fi
[ $# -eq 1 ] && [ -n "$1" ] || fail 2 "usage: GUMBEL4J_VERSION=VERSION native/build.sh [test] OUTPUT_DIR"
version=${GUMBEL4J_VERSION-}
case $version in
'') fail 2 "GUMBEL4J_VERSION is not set; set it to the version of the project, as GUMBEL4J_VERSION=0.1.0" ;;
*[!0-9A-Za-z.+-]*) fail 2 "GUMBEL4J_VERSION is '$version'; only letters, digits, '.', '+' and '-' are allowed" ;;
esac

for compiler in ${CC:+"$CC"} cc gcc clang none; do
    # $CC may hold arguments after the command, as in CC="ccache gcc"
    if command -v "${compiler%% *}" >/dev/null 2>&1; then break; fi
    if [ "$compiler" = "${CC-}" ]; then fail 3 "CC is '$CC', which is not on the path; unset it or set it to a C compiler"; fi
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
        echo "symbols: the header declares [$(echo $declared)], the library exports [$(echo $exported)]"
        broken="$broken symbols"
        failed=$((failed + 1))
    fi
}

run_tests() {
    plain=$output/tests
    sanitized=$output/tests-sanitized
    sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=all"
    rm -rf "$plain" "$sanitized"
    mkdir -p "$plain"
    compile "-O1 -g $sanitizers" "$sanitized"
    for source in test/*.c; do
        name=$(basename "$source" .c)
        $compiler -O2 $language $warnings -Iinclude "$source" -o "$plain/$name" "$output/libgumbel4j.so" -Wl,-rpath,"$output" -lm
        $compiler -O1 -g $sanitizers $language $warnings -Iinclude "$source" -o "$sanitized/$name" "$sanitized"/*.o -lm
    done
    passed=0 failed=0 broken=
    run_programs "$plain" ""
    run_programs "$sanitized" ", sanitized"
    check_symbols
    if [ -n "$broken" ]; then echo "failed:$broken"; fi
    echo "$passed passed, $failed failed"
    [ -z "$broken" ]
}

build_library
if [ "$action" = test ]; then run_tests; fi
