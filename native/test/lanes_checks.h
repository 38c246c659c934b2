/*
 * The checks of lanes_test.c for one type; included twice, with T(name), real, word, lanes, word_lanes, mask_lanes and TYPE defined. Every
 * function of lanes runs on arrays of one vector's length.
 */

enum { T(N) = T(LANES) };

static real T(random_real)(void) { return T(spec_value)((word)random_bits()); }

/* Same bits, or both NaN, whose bits no operation promises. */
static bool T(same)(real a, real b) { return T(spec_bits)(a) == T(spec_bits)(b) || (a != a && b != b); }

/* Called, rather than inlined wherever they are tested. */
static lanes T(log_of)(lanes x) { return T(log)(x); }
static lanes T(exp_of)(lanes x) { return T(exp)(x); }
static lanes T(survival_of)(word_lanes v) { return T(log_survival)(v); }

static lanes T(vector)(const real *array) { return T(load)(array, T(N), 0); }

/* The mask whose lanes are the low bits of `bits`. */
static mask_lanes T(mask)(uint64_t bits)
{
    mask_lanes mask = {0};
    for (int l = 0; l < T(N); l++)
        mask[l] = -(int)(bits >> l & 1);
    return mask;
}

/* Every count, at every distance that a vector may have from where the array starts. */
static void T(loads_and_stores)(void)
{
    real from[2 * T(N) + 1], to[2 * T(N) + 1];
    for (int i = 0; i <= 2 * T(N); i++)
        from[i] = (real)(i + 1);
    for (int at = 0; at <= T(N); at++)
        for (int count = -3; count <= T(N); count++) {
            lanes v = T(load)(from + at, count, (real)-7);
            memset(to, 0, sizeof to);
            T(store)(to + at, count, v);
            for (int l = 0; l < T(N); l++)
                CHECK(v[l] == (l < count ? from[at + l] : (real)-7), "load of %d, lane %d", count, l);
            for (int i = 0; i <= 2 * T(N); i++)
                CHECK(to[i] == (i >= at && i < at + count ? from[i] : 0), "store of %d at %d, element %d", count, at, i);
        }
}

static void T(masks)(void)
{
    real a[T(N)], b[T(N)];
    for (int l = 0; l < T(N); l++) {
        a[l] = (real)l;
        b[l] = (real)-l - 1;
    }
    CHECK(!T(any)(T(mask)(0)), "no lane");
    for (int n = 0; n < 1000; n++) {
        uint64_t bits = n < T(N) ? UINT64_C(1) << n : random_bits();
        lanes chosen = T(select)(T(mask)(bits), T(vector)(a), T(vector)(b));
        for (int l = 0; l < T(N); l++)
            CHECK(chosen[l] == (bits >> l & 1 ? a[l] : b[l]), "select, lane %d", l);
        bits |= UINT64_C(1) << random_bits() % T(N);
        int first = 0;
        while (!(bits >> first & 1))
            first++;
        CHECK(T(any)(T(mask)(bits)) && T(first_lane)(T(mask)(bits)) == first, "first lane %d", first);
        CHECK(T(bits)(T(mask)(bits)) == (bits & ((UINT64_C(1) << T(N)) - 1)), "bits %x", T(bits)(T(mask)(bits)));
    }
}

static void T(arithmetic)(void)
{
    static const real special[] = {0, (real)-0.0, 1, -1, (real)INFINITY, -(real)INFINITY, (real)NAN};
    for (int n = 0; n < 2000; n++) {
        real a[T(N)], b[T(N)], sums[T(N)], largest = -(real)INFINITY;
        for (int l = 0; l < T(N); l++) {
            a[l] = n < 500 ? special[random_bits() % 7] : T(random_real)();
            b[l] = n < 500 ? special[random_bits() % 7] : T(random_real)();
        }
        lanes larger = T(max)(T(vector)(a), T(vector)(b));
        for (int l = 0; l < T(N); l++)
            CHECK(T(same)(larger[l], a[l] > b[l] ? a[l] : b[l]), "max(%a, %a) = %a", (double)a[l], (double)b[l], (double)larger[l]);
        for (int l = 0; l < T(N); l++) {
            a[l] = a[l] != a[l] ? 1 : a[l];
            largest = a[l] > largest ? a[l] : largest;
            sums[l] = b[l] = (real)(int32_t)random_bits() * (real)0x1p-20;
        }
        CHECK(T(largest)(T(vector)(a)) == largest, "largest %a, not %a", (double)T(largest)(T(vector)(a)), (double)largest);
        for (int width = T(N) / 2; width > 0; width /= 2)
            for (int l = 0; l < width; l++)
                sums[l] = sums[l] + sums[l + width];
        CHECK(T(sum)(T(vector)(b)) == sums[0], "sum");
    }
}

/* Vectors folded together come to what each comes to by itself. */
static void T(folds_across)(void)
{
    for (int n = 0; n < 200; n++) {
        lanes some[T(N)], same[T(N)];
        for (int r = 0; r < T(N); r++)
            for (int l = 0; l < T(N); l++)
                some[r][l] = same[r][l] = (real)(int32_t)random_bits() * (real)0x1p-20;
        real sums[T(N)], largest[T(N)];
        for (int r = 0; r < T(N); r++) {
            sums[r] = T(sum)(some[r]);
            largest[r] = T(largest)(some[r]);
        }
        lanes sum = T(sum_of_each)(some), most = T(largest_of_each)(same);
        for (int r = 0; r < T(N); r++)
            CHECK(sum[r] == sums[r] && most[r] == largest[r], "vector %d of %d", r, (int)T(N));
    }
}

static void T(edges)(void)
{
    const real smallest = T(SMALLEST_NORMAL);
    real a[T(N)];
    for (int n = 0; n < 2000; n++) {
        for (int l = 0; l < T(N); l++)
            a[l] = n < 1000 ? T(random_real)() : (real)(random_bits() % 9) / 4 * (n % 2 ? smallest : -smallest);
        lanes cleaned = T(clean)(T(vector)(a));
        for (int l = 0; l < T(N); l++)
            CHECK(T(spec_bits)(cleaned[l]) == T(spec_bits)(T(spec_clean)(a[l])), "clean(%a) = %a", (double)a[l], (double)cleaned[l]);
        for (int l = 0; l < T(N); l++)
            a[l] = a[l] < 0 ? -a[l] : a[l] != a[l] ? 1 : a[l];
        lanes flushed = T(flush)(T(vector)(a));
        for (int l = 0; l < T(N); l++)
            CHECK(T(spec_bits)(flushed[l]) == T(spec_bits)(a[l] < smallest ? 0 : a[l]), "flush(%a) = %a", (double)a[l],
                  (double)flushed[l]);
    }
}

/* log of any bits; exp of anything below zero. */
static void T(functions)(void)
{
    for (int n = 0; n < 5000; n++) {
        real x[T(N)];
        for (int l = 0; l < T(N); l++)
            x[l] = T(random_real)();
        lanes logs = T(log_of)(T(vector)(x));
        for (int l = 0; l < T(N); l++)
            CHECK(T(spec_bits)(logs[l]) == T(spec_bits)(T(spec_log)(x[l])), "log(%a) = %a", (double)x[l], (double)logs[l]);
        for (int l = 0; l < T(N); l++)
            x[l] = n % 4 == 0 && x[l] == x[l] ? (x[l] < 0 ? x[l] : -x[l])
                                              : (real)(uint32_t)random_bits() * (TYPE == GUMBEL4J_FLOAT32 ? -100 : -800) * (real)0x1p-32;
        lanes exponentials = T(exp_of)(T(vector)(x));
        for (int l = 0; l < T(N); l++)
            CHECK(T(spec_bits)(exponentials[l]) == T(spec_bits)(T(spec_exp)(x[l])), "exp(%a) = %a", (double)x[l], (double)exponentials[l]);
    }
}

/* The arguments in `in` to the values in `out` of every case, through a function of one vector. */
static void T(golden_function)(const char *directory, const char *name, lanes (*function)(lanes))
{
    struct golden golden = open_golden(directory, name);
    int cases = 0;
    while (golden_next(&golden)) {
        if (golden.type != TYPE)
            continue;
        cases++;
        real *x = golden_array(&golden, "x", TYPE), *out = golden_array(&golden, "out", TYPE);
        int64_t count = golden_length(&golden, "x");
        for (int64_t i = 0; i < count; i += T(N)) {
            lanes got = function(T(load)(x + i, count - i, -1));
            for (int l = 0; l < T(N) && i + l < count; l++)
                CHECK(T(spec_bits)(got[l]) == T(spec_bits)(out[i + l]), "%s(%a) = %a, not %a", name, (double)x[i + l], (double)got[l],
                      (double)out[i + l]);
        }
        free(x);
        free(out);
    }
    CHECK(cases > 0, "no golden case for %s", name);
}

/* E and g of given words, but for the float32 tail, which takes a second word. */
static void T(golden_noise)(const char *directory)
{
    struct golden golden = open_golden(directory, "noise");
    int64_t compared = 0;
    while (golden_next(&golden)) {
        if (golden.type != TYPE)
            continue;
        word *v = golden_array(&golden, "v", TYPE == GUMBEL4J_FLOAT32 ? GUMBEL4J_INT32 : GUMBEL4J_INT64);
        real *exponential = golden_array(&golden, "exponential", TYPE);
        real *gumbel = golden_array(&golden, "gumbel", TYPE);
        int64_t count = golden_length(&golden, "v");
        for (int64_t i = 0; i < count; i++) {
            if (TYPE == GUMBEL4J_FLOAT32 && v[i] < 256)
                continue;
            word_lanes words = v[i] + (word_lanes){0};
            lanes survival = T(survival_of)(words), noise = -T(log_of)(-survival);
            for (int l = 0; l < T(N); l++)
                CHECK(T(spec_bits)(-survival[l]) == T(spec_bits)(exponential[i]) && T(spec_bits)(noise[l]) == T(spec_bits)(gumbel[i]),
                      "word %llx: %a, %a", (unsigned long long)v[i], (double)-survival[l], (double)noise[l]);
            compared++;
        }
        free(v);
        free(exponential);
        free(gumbel);
    }
    CHECK(compared > 10, "%d golden words", (int)compared);
}

/* The bound of an argmax: never below x + g by more than the slack, at edges of words and between them. */
static void T(ceilings)(void)
{
    for (int n = 0; n < 5000; n++) {
        word_lanes v = {0};
        real x[T(N)];
        for (int l = 0; l < T(N); l++) {
            word bits = (word)random_bits() >> random_bits() % (8 * sizeof(word));
            bits = random_bits() % 2 ? bits : (word)~bits;
            v[l] = TYPE == GUMBEL4J_FLOAT32 && bits < 256 ? bits + 256 : bits;
            x[l] = (real)(int32_t)random_bits() * (random_bits() % 2 ? (real)0x1p-27 : (real)0x1p-10);
        }
        lanes s = T(vector)(x) - T(log_of)(-T(survival_of)(v)), ceiling = T(ceiling)(T(vector)(x), v);
        for (int l = 0; l < T(N); l++)
            CHECK(ceiling[l] >= s[l] - T(ceiling_slack)(s[l]), "word %llx, x %a: %a, but s %a", (unsigned long long)v[l], (double)x[l],
                  (double)ceiling[l], (double)s[l]);
    }
}

/* Whole groups: words of both halves of the stream, and their noise in place, tails included. */
static void T(groups)(void)
{
    enum { GROUP = GROUP_BYTES / sizeof(real), COUNT = 3 };
    const uint64_t seed = 7, stream = 0, group = 24428773 / GROUP - 1; /* NOISE.md, section 9: a tail word */
    struct philox generator;
    philox_start(&generator, seed, stream);
    union {
        word words[COUNT * GROUP];
        real noise[COUNT * GROUP];
    } buffer;
    T(words)(&generator, group, COUNT, (struct ahead){0, 0}, buffer.words);
    for (int i = 0; i < COUNT * GROUP; i++) {
        uint64_t index = group * GROUP + (uint64_t)i;
        word_lanes word_of = buffer.words[i] + (word_lanes){0};
        CHECK(buffer.words[i] == T(spec_word)(seed, stream, index), "word %d", i);
        CHECK(T(uniform)(&generator, index, buffer.words[i]) == T(spec_uniform)(seed, stream, index), "uniform %d", i);
        CHECK(T(spec_bits)(T(noise_of_few)(&generator, index, word_of)[0]) == T(spec_bits)(T(spec_noise)(seed, stream, index)),
              "noise of few, %d", i);
    }
    enum { FIRST = 5, END = COUNT * GROUP - 3 };
    T(noise_of_words)(&generator, group * GROUP, FIRST, END, buffer.words);
    for (int i = FIRST; i < END; i++)
        CHECK(T(spec_bits)(buffer.noise[i]) == T(spec_bits)(T(spec_noise)(seed, stream, group * GROUP + (uint64_t)i)), "noise %d", i);
}

/* Any lane to any place, several times or not at all. */
static void T(permutations)(void)
{
    for (int n = 0; n < 100; n++) {
        int from[T(N)];
        real x[T(N)];
        word_lanes places = {0};
        for (int l = 0; l < T(N); l++) {
            from[l] = (int)(random_bits() % T(N));
            x[l] = (real)(int32_t)random_bits();
            places[l] = T(place)(from[l])[l];
        }
        lanes permuted = T(permute)(T(vector)(x), places);
        for (int l = 0; l < T(N); l++)
            CHECK(permuted[l] == x[from[l]], "lane %d from %d", l, from[l]);
    }
}

static void T(every_check)(const char *directory)
{
    T(loads_and_stores)();
    T(permutations)();
    T(masks)();
    T(arithmetic)();
    T(folds_across)();
    T(edges)();
    T(functions)();
    T(golden_function)(directory, "log", T(log_of));
    T(golden_function)(directory, "exp", T(exp_of));
    T(golden_noise)(directory);
    T(ceilings)();
    T(groups)();
}

#undef T
#undef real
#undef word
#undef lanes
#undef word_lanes
#undef mask_lanes
#undef TYPE
