/* Rows and matrices of whole numbers: sums of their products are exact, and the same on every road; included
 * once for each. */

/* a[2i] b[2i] + a[2i + 1] b[2i + 1], of numbers of 16 bits. */
#if LANES == 16
INLINE ivec multiply_pairs(ivec a, ivec b)
{
    return (ivec)_mm512_madd_epi16((__m512i)a, (__m512i)b);
}
#elif LANES == 8
INLINE ivec multiply_pairs(ivec a, ivec b)
{
    return (ivec)_mm256_madd_epi16((__m256i)a, (__m256i)b);
}
#elif defined(__aarch64__)
INLINE ivec multiply_pairs(ivec a, ivec b)
{
    int16x8_t x = (int16x8_t)a, y = (int16x8_t)b;
    return (ivec)vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y));
}
#else
INLINE ivec multiply_pairs(ivec a, ivec b)
{
    ivec first = (ivec)((uvec)a << 16) >> 16, other = (ivec)((uvec)b << 16) >> 16;
    return first * other + (a >> 16) * (b >> 16);
}
#endif

typedef int16_t shorts __attribute__((vector_size(2 * LANES), aligned(2)));

/* The largest size of a number in a row; NaN if one is infinite or NaN. */
static float largest_of(const float *row, int64_t depth)
{
    vec found = {0}, wrong = {0};
    for (int64_t k = 0; k < depth; k += LANES) {
        vec x = load(row + k, depth - k);
        found = larger(found, (vec)((ivec)x & 0x7fffffff));
        wrong += x - x;
    }
    float largest = 0.0f;
    for (int i = 0; i < LANES; i++)
        largest = (found[i] > largest ? found[i] : largest) + wrong[i];
    return largest;
}

/* Makes whole numbers of rows. The step is NaN where a number is infinite or NaN. */
static void quantize(int64_t rows, int64_t depth, const struct left *left)
{
    int64_t even = (depth + 1) / 2 * 2;
    for (int64_t row = 0; row < rows; row++) {
        const float *from = left->numbers + row * depth;
        int16_t *to = left->quantized + row * even;
        float largest = largest_of(from, depth), inverse = MOST_IN_A_ROW / largest;
        left->steps[row] = largest / MOST_IN_A_ROW;
        for (int64_t k = 0; k < even; k += LANES) {
            vec whole = load(from + k, depth - k) * inverse + all(TO_WHOLE);
            shorts found = __builtin_convertvector((ivec)whole, shorts);
            memcpy(to + k, &found, sizeof(int16_t) * (even - k < LANES ? even - k : LANES));
        }
    }
}
