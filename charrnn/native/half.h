/* Weights in half precision (IEEE 754 binary16) to vectors and back; included once for each road. */
typedef uint16_t half;

#if LANES == 16
INLINE vec widen(const half *from)
{
    return (vec)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)from));
}

INLINE void narrow(half *to, vec x)
{
    _mm256_storeu_si256((__m256i *)to,
                        _mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
#elif LANES == 8
INLINE vec widen(const half *from)
{
    return (vec)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from));
}

INLINE void narrow(half *to, vec x)
{
    _mm_storeu_si128((__m128i *)to,
                     _mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
#elif defined(__aarch64__)
INLINE vec widen(const half *from)
{
    return (vec)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from)));
}

INLINE void narrow(half *to, vec x)
{
    vst1_u16(to, vreinterpret_u16_f16(vcvt_f16_f32((float32x4_t)x)));
}
#else
/* A half's bits, moved to where a float has them, are that number times 2^-112. */
INLINE vec widen(const half *from)
{
    uvec bits = {from[0], from[1], from[2], from[3]};
    vec size = (vec)((bits & 0x7fff) << 13) * all(0x1p112f);
    return (vec)((uvec)size | (bits & 0x8000) << 16);
}

/* Rounds to even by adding half of what is lost; below 2^-14 a float of a fixed exponent rounds by itself. */
INLINE void narrow(half *to, vec x)
{
    uvec sign = (uvec)x & ((uvec){0} + 0x80000000u), size = (uvec)x ^ sign;
    uvec normal = (size + 0xfff + (size >> 13 & 1) - (112u << 23)) >> 13;
    uvec small = (uvec)((vec)size + all(0.5f)) - ((uvec){0} + 0x3f000000u);
    uvec bits = (uvec)either((ivec)(size < (113u << 23)), (vec)small, (vec)normal) | sign >> 16;
    for (int i = 0; i < LANES; i++)
        to[i] = (half)bits[i];
}
#endif
