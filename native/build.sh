#!/bin/sh
# Builds libgumbel4j and runs its tests. Needs a C compiler (gcc 12, clang 14 or newer) with its binutils, and a POSIX shell.
#
#   native/build.sh OUTPUT_DIR                 OUTPUT_DIR/libgumbel4j.so; does nothing when it is up to date
#   native/build.sh test OUTPUT_DIR            builds it and runs every test on every tier of this machine
#   native/build.sh soak OUTPUT_DIR            builds it and draws from 10^8 random logits of each type on every tier of this machine
#   native/build.sh emulate TIER OUTPUT_DIR    runs every test on a tier that this machine lacks:
#       avx512    by SIMDe (Debian: libsimde-dev)
#       neon      cross-compiled, by qemu (Debian: gcc-aarch64-linux-gnu, qemu-user-static)
#
# GUMBEL4J_VERSION=0.1.0 in the environment is the version of the project. The compiler is $CC, else the first of cc, gcc, clang on the
# path (for neon: aarch64-linux-gnu-gcc).
# Exit status: 0 done, 1 failed, 2 wrong usage, 3 no C compiler (emulate: or no emulator).
# Flags are kept in plain variables and split into words on purpose.
# shellcheck disable=SC2086,SC2046
set -eu

fail() {
    status=$1
    shift
    echo "native/build.sh: $*" >&2
    exit "$status"
}

action="build" emulated=
case ${1-} in
test | soak)
    action=$1
    shift
    ;;
emulate)
    action=$1 emulated=${2-}
    case $emulated in
    avx512 | neon) shift 2 ;;
    *) fail 2 "emulate needs the name of a tier, avx512 or neon, not '$emulated'" ;;
    esac
    ;;
esac
if [ $# -ne 1 ] || [ -z "$1" ]; then
    fail 2 "usage: GUMBEL4J_VERSION=VERSION native/build.sh [test | soak | emulate avx512 | emulate neon] OUTPUT_DIR"
fi
version=${GUMBEL4J_VERSION-}
case $version in
'') fail 2 "GUMBEL4J_VERSION is not set; set it to the version of the project, as GUMBEL4J_VERSION=0.1.0" ;;
*[!0-9A-Za-z.+-]*) fail 2 "GUMBEL4J_VERSION is '$version'; only letters, digits, '.', '+' and '-' are allowed" ;;
esac

if [ "$emulated" = neon ]; then
    CC=${CC:-aarch64-linux-gnu-gcc}
    for command in "${CC%% *}" qemu-aarch64-static; do
        command -v "$command" >/dev/null 2>&1 \
            || fail 3 "no $command on the path; install it, as with 'apt-get install gcc-aarch64-linux-gnu qemu-user-static'"
    done
fi
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

# ---- tiers and flags: the same for every file, then what a tier adds ----

machine=$($compiler -dumpmachine)
case $machine in # from the least to the best, as in choose_tier.c
x86_64*) tiers="base avx2 avx512" ;;
aarch64*) tiers="base neon" ;;
*) tiers="base" ;;
esac
sources="gumbel4j choose_tier scratch"
for tier in $tiers; do sources="$sources tier_$tier"; done

warnings="-Wall -Wextra -Werror"
# Bits must not depend on the compiler: no contraction to fma but where written, and nothing from -ffast-math.
language="-std=c11 -ffp-contract=off -fno-math-errno -fno-trapping-math"
define="-DGUMBEL4J_VERSION=\"$version\""
avx512_flags="-mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx2 -mfma -mprefer-vector-width=512 -fno-omit-frame-pointer"
choice_flags=
if [ "$emulated" = avx512 ]; then
    # another immintrin.h; vectors travel in memory, which concerns nobody outside the file; and a CPU that has everything
    avx512_flags="-Itest/emulated -Wno-psabi"
    choice_flags="-D__builtin_cpu_supports(feature)=1"
fi
# A frame pointer lets clang align the stack for vectors that it has no registers for, so that none straddles two cache lines.
flags_of() {
    case $1 in
    *avx2) echo "-mavx2 -mfma -mf16c -fno-omit-frame-pointer" ;;
    *avx512) echo "$avx512_flags" ;;
    choose_tier) echo "$choice_flags" ;;
    esac
}

# compile ARGUMENTS...: runs the compiler in the background
compiling=
compile() {
    $compiler $language $warnings -Iinclude "$@" &
    compiling="$compiling $!"
}

# compiled: waits for the compilers, which have told their errors
compiled() {
    for process in $compiling; do wait "$process" || fail 1 "$compiler failed"; done
    compiling=
}

# compile_library FLAGS DIRECTORY [SOURCES]: every source to an object in DIRECTORY; those of SOURCES are the release's
compile_library() {
    rm -rf "$2"
    mkdir -p "$2"
    for source in $sources; do
        case " ${3-} " in
        *" $source "*) cp "$output/objects/$source.o" "$2" ;;
        *) compile $1 "$define" $(flags_of "$source") -c "src/$source.c" -o "$2/$source.o" ;;
        esac
    done
    compiled
}

# Functions begin where cache lines do, so that none gets slower because another one grew.
release="-O3 -fPIC -fvisibility=hidden -falign-functions=64"
build_library() {
    library=$output/libgumbel4j.so
    stamp=$output/libgumbel4j.stamp
    built_as="$version $machine $($compiler --version | head -n 1)"
    if [ -f "$library" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$built_as" ] \
        && [ -z "$(find build.sh include src -newer "$library" -type f)" ]; then
        return
    fi
    rm -f "$stamp"
    compile_library "$release" "$output/objects"
    $compiler -shared -Wl,-z,defs -o "$library.new" "$output"/objects/*.o -lm
    mv "$library.new" "$library"
    printf '%s\n' "$built_as" >"$stamp"
    echo "built $library ($version)"
}

# ---- test programs ----

passed=0 failed=0 broken='' runner=''

# count NAME PASSED FAILED: adds to the totals
count() {
    passed=$((passed + $2)) failed=$((failed + $3))
    if [ "$3" != 0 ]; then broken="$broken $1"; fi
}

# build_programs DIRECTORY FLAGS SOURCES LINKED...: programs of test/ to DIRECTORY; those that test the lanes themselves once a tier
build_programs() {
    directory=$1 flags="$2 -pthread" programs=$3
    shift 3
    mkdir -p "$directory"
    for program in $programs; do
        if grep -q '^#include LANES' "test/$program.c"; then
            for tier in $tiers; do
                compile $flags $(flags_of "$tier") "-DLANES=\"../src/lanes_$tier.h\"" "test/$program.c" \
                    -o "$directory/$program-$tier" -lm
            done
        else
            compile $flags "test/$program.c" -o "$directory/$program" "$@" -lm
        fi
    done
    compiled
}

every_program=$(basename -s .c test/*.c)

# tally TIER LABEL PROGRAM: counts what a program has said; its last line says what passed
tally() {
    name="$(basename "$3") ($1$2)" status=$(cat "$3.$1.status")
    counts=$(sed -n '$s/^.*: \([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$3.$1.log")
    sed "\$s/\$/ ($1$2)/" "$3.$1.log"
    case "$status $counts" in
    "0 "[0-9]*" 0") count "$name" ${counts% *} 0 ;;
    *" "[0-9]*" "[1-9]*) count "$name" $counts ;;
    *)
        echo "$name ended with status $status"
        count "$name" 0 1
        ;;
    esac
}

# run_programs DIRECTORY LABEL TIERS [ENDING]: every program of DIRECTORY whose name ends in _test, or another ENDING, on those of TIERS
# that the machine has, as many at a time as there are cores. The argument of a program is where the golden files are.
run_programs() {
    best=$(unset GUMBEL4J_MAX_ISA && $runner "$1/isa")
    runs=
    for tier in $3; do
        for program in "$1"/*_"${4-test}" "$1"/*_"${4-test}-$tier"; do
            if [ -f "$program" ]; then runs="$runs $tier $(basename "$program")"; fi
        done
        if [ "$tier" = "$best" ]; then break; fi
    done
    printf '%s %s\n' $runs | runner=$runner directory=$1 xargs -P "$(getconf _NPROCESSORS_ONLN)" -L 1 sh -c '
        status=0
        GUMBEL4J_MAX_ISA=$1 $runner "$directory/$2" ../src/test/resources/golden >"$directory/$2.$1.log" 2>&1 || status=$?
        echo "$status" >"$directory/$2.$1.status"' run
    set -- "$1" "$2" $runs
    while [ $# -gt 2 ]; do
        tally "$3" "$2" "$1/$4"
        directory=$1 label=$2
        shift 4
        set -- "$directory" "$label" "$@"
    done
}

# can_sanitize FLAGS: whether the compiler has what they need, and the machine runs it
can_sanitize() {
    echo 'int main(void) { return 0; }' | $compiler $1 -x c - -o "$output/sanitizer-probe" 2>/dev/null && "$output/sanitizer-probe"
}

# report: the totals; fails when a test did
report() {
    if [ -n "$broken" ]; then echo "failed:$broken"; fi
    echo "$passed passed, $failed failed"
    [ -z "$broken" ]
}

# ---- checks of the library itself ----

# check NAME EXPECTED ACTUAL
check() {
    if [ "$2" = "$3" ]; then
        echo "$1: 1 passed, 0 failed"
        count "$1" 1 0
    else
        echo "$1: expected [$2], found [$3]"
        count "$1" 0 1
    fi
}

defined_by() { nm --defined-only --extern-only $1 "$2" | sed 's/.* //' | sort; }

# AVX instructions of any width are those whose names start with v.
count_avx() { objdump -d --no-show-raw-insn "$@" | grep -c '^ *[0-9a-f]*:[[:space:]]*v[a-z]' || true; }

check_library() {
    library=$output/libgumbel4j.so objects=$output/objects
    check "the library exports what the header declares" \
        "$(sed -n 's/^GUMBEL4J_API .*\(gumbel4j_[a-z0-9_]*\)(.*/\1/p' include/gumbel4j.h | sort)" "$(defined_by -D "$library")"
    # a helper that two tiers define would be taken from either by the linker, and might run on a CPU that lacks its instructions
    for tier in $tiers; do
        check "the $tier tier defines its table alone" "gumbel4j_${tier}_tier" "$(defined_by "" "$objects/tier_$tier.o")"
        # as fmaf would be called where lanes were written without the instruction
        if [ "$tier" != base ]; then
            check "the $tier tier calls nothing but memory functions and for its scratch" "" \
                "$(nm --undefined-only "$objects/tier_$tier.o" | sed 's/.* //; /^mem[a-z]*$/d; /^_GLOBAL_OFFSET_TABLE_$/d; /^gumbel4j_scratch$/d')"
        fi
    done
    case $machine in
    x86_64*)
        command -v objdump >/dev/null 2>&1 || fail 1 "no objdump on the path; install binutils"
        check "no AVX before the choice" 0 "$(count_avx "$objects/gumbel4j.o" "$objects/choose_tier.o" "$objects/tier_base.o")"
        check "no AVX in the library but that of the tiers" "$(count_avx "$objects/tier_avx2.o" "$objects/tier_avx512.o")" \
            "$(count_avx "$library")"
        ;;
    esac
    check "a cap that names no tier caps at base" base "$(GUMBEL4J_MAX_ISA=unheard-of "$output/tests/isa")"
}

# ---- actions ----

run_tests() {
    rm -rf "$output"/tests*
    build_programs "$output/tests" -O2 "$every_program" "-L$output" "-Wl,-rpath,$output" -lgumbel4j
    run_programs "$output/tests" "" "$tiers"
    check_library

    # the library within the programs, so that the sanitizers see the kernels, but those of tiers that the machine lacks
    best=$(unset GUMBEL4J_MAX_ISA && "$output/tests/isa")
    lacking=
    for tier in $tiers; do lacking="$lacking tier_$tier"; done
    lacking=${lacking#*"tier_$best"}
    memory="-O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all" threads="-O1 -g1 -fsanitize=thread"
    if can_sanitize "$memory"; then
        compile_library "$memory" "$output/tests-memory" "$lacking"
        build_programs "$output/tests-memory" "$memory" "$every_program" "$output"/tests-memory/*.o
        run_programs "$output/tests-memory" ", memory sanitized" "$tiers"
    else
        echo "not run: tests under the memory sanitizers; install the run-time library of $compiler for them (libasan, libubsan)"
    fi
    if can_sanitize "$threads"; then
        compile_library "$threads" "$output/tests-threads" "$lacking"
        build_programs "$output/tests-threads" "$threads" "isa threads_test" "$output"/tests-threads/*.o
        run_programs "$output/tests-threads" ", thread sanitized" "$tiers"
    else
        echo "not run: tests under the thread sanitizer; install the run-time library of $compiler for it (libtsan)"
    fi
    report
}

run_soak() {
    build_programs "$output/soak" -O2 "isa argmax_soak" "-L$output" "-Wl,-rpath,$output" -lgumbel4j
    run_programs "$output/soak" "" "$tiers" soak
    report
}

run_emulated() {
    directory=$output/emulated-$emulated
    case $emulated in
    avx512)
        echo '#include <simde/x86/avx512.h>' | $compiler -E -x c - >/dev/null 2>&1 \
            || fail 3 "no simde/x86/avx512.h; install SIMDe, as with 'apt-get install libsimde-dev'"
        linkage="" emulated_tiers=avx512
        ;;
    neon) linkage=-static emulated_tiers=$tiers runner=qemu-aarch64-static ;;
    esac
    compile_library "$release" "$directory"
    build_programs "$directory" "-O2 $linkage" "$every_program" "$directory"/*.o
    run_programs "$directory" ", emulated" "$emulated_tiers"
    report
}

case $action in
emulate) run_emulated ;;
*) build_library ;;
esac
case $action in
test) run_tests ;;
soak) run_soak ;;
esac
