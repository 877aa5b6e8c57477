// One vector of floats per SIMD level, written with the compiler's vector types so that arithmetic, comparisons and
// selections need no intrinsics; only fused multiply-add, partial loads and widening do. Included inside the level's
// namespace; nothing here may be a std:: template (it could be merged with another level's copy).

// NEON is part of every 64-bit ARM; the scalar level there must not take it.
#if defined(__ARM_NEON) && !defined(SCALAR_LEVEL)
#define KERNEL_NEON
#endif

#if defined(__AVX512F__)
constexpr int LANES = 16;
#elif defined(__AVX2__)
constexpr int LANES = 8;
#elif defined(KERNEL_NEON)
constexpr int LANES = 4;
#else
constexpr int LANES = 1;
#endif

typedef float V __attribute__((vector_size(4 * LANES)));
typedef int32_t VI __attribute__((vector_size(4 * LANES)));

#define KERNEL_INLINE static inline __attribute__((always_inline))

// Intrinsics, for `V{} + value` is an addition that no compiler may leave out: it makes -0 into +0.
KERNEL_INLINE V splat(float value) {
#if defined(__AVX512F__)
  return (V)_mm512_set1_ps(value);
#elif defined(__AVX2__)
  return (V)_mm256_set1_ps(value);
#elif defined(KERNEL_NEON)
  return (V)vdupq_n_f32(value);
#else
  return V{value};
#endif
}

KERNEL_INLINE V load(const float* from) {
  V v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

KERNEL_INLINE void store(float* to, V v) { __builtin_memcpy(to, &v, sizeof v); }

// The first n lanes, 0 < n <= LANES; the others read as zero and memory behind them is not touched.
KERNEL_INLINE V loadPart(const float* from, int n) {
#if defined(__AVX512F__)
  return (V)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), from);
#else
  if (n == LANES) return load(from);
  V v = {};
  for (int i = 0; i < n; i++) v[i] = from[i];
  return v;
#endif
}

// The same with other lanes of `rest`.
KERNEL_INLINE V loadPart(const float* from, int n, float rest) {
#if defined(__AVX512F__)
  return (V)_mm512_mask_loadu_ps((__m512)splat(rest), (__mmask16)((1u << n) - 1), from);
#else
  V v = splat(rest);
  for (int i = 0; i < n; i++) v[i] = from[i];
  return v;
#endif
}

// The first n lanes of v, 0 < n < LANES; zero in the others.
KERNEL_INLINE V firstLanes(V v, int n) {
#if defined(__AVX512F__)
  return (V)_mm512_maskz_mov_ps((__mmask16)((1u << n) - 1), (__m512)v);
#else
  for (int i = n; i < LANES; i++) v[i] = 0;
  return v;
#endif
}

KERNEL_INLINE void storePart(float* to, V v, int n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(to, (__mmask16)((1u << n) - 1), (__m512)v);
#else
  if (n == LANES) return store(to, v);
  for (int i = 0; i < n; i++) to[i] = v[i];
#endif
}

// a·b + c with one rounding. Plain C++ has no such operation without a library call; in double the product is exact.
KERNEL_INLINE V fma(V a, V b, V c) {
#if defined(__AVX512F__)
  return (V)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__)
  return (V)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(KERNEL_NEON)
  return (V)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return V{(float)((double)a[0] * b[0] + c[0])};
#endif
}

// LANES bfloat16 numbers: the upper halves of floats.
KERNEL_INLINE V load(const uint16_t* from) {
#if defined(__AVX512F__)
  return (V)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)from)), 16);
#elif defined(__AVX2__)
  return (V)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i*)from)), 16);
#else
  VI bits;
  for (int i = 0; i < LANES; i++) bits[i] = (int32_t)((uint32_t)from[i] << 16);
  return (V)bits;
#endif
}

// LANES whole numbers.
KERNEL_INLINE V load(const int8_t* from) {
#if defined(__AVX512F__)
  return (V)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i*)from)));
#elif defined(__AVX2__)
  return (V)_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i*)from)));
#else
  V v;
  for (int i = 0; i < LANES; i++) v[i] = from[i];
  return v;
#endif
}

// Two vectors of bfloat16 numbers in turn, the first in the lower halves: widening a pair costs one shift and one mask.
KERNEL_INLINE void loadPair(const uint16_t* from, V& first, V& second) {
  VI both;
  __builtin_memcpy(&both, from, sizeof both);
  first = (V)(both << 16);
  second = (V)(both & (int32_t)0xffff0000);
}

KERNEL_INLINE void loadPair(const float* from, V& first, V& second) {
  first = load(from);
  second = load(from + LANES);
}

// Always added in the same tree (halves onto each other), so that a sum depends on its terms only.
KERNEL_INLINE float sumLanes(V v) {
#if defined(__AVX512F__)
  const __m256 eight =
      _mm256_add_ps(_mm512_castps512_ps256((__m512)v),
                    (__m256)__builtin_shufflevector((__m512)v, (__m512)v, 8, 9, 10, 11, 12, 13, 14, 15));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
#elif defined(__AVX2__)
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1));
#elif defined(KERNEL_NEON)
  return (v[0] + v[2]) + (v[1] + v[3]);
#else
  return v[0];
#endif
#if defined(__AVX2__)
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
#endif
}

#if defined(__AVX512F__)
// The sums of sixteen vectors at once, each added in the order of sumLanes. Lane 4m + p of the result is the sum of
// vector {0, 8, 4, 12}[m] + {0, 2, 1, 3}[p].
KERNEL_INLINE V sumLanesOf16(const V* v) {
  V eight[8], four[4], two[2];
  for (int k = 0; k < 8; k++) {
    eight[k] = __builtin_shufflevector(v[k], v[k + 8], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
               __builtin_shufflevector(v[k], v[k + 8], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  }
  for (int k = 0; k < 4; k++) {
    four[k] =
        __builtin_shufflevector(eight[k], eight[k + 4], 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
        __builtin_shufflevector(eight[k], eight[k + 4], 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  }
  for (int k = 0; k < 2; k++) {
    two[k] = __builtin_shufflevector(four[k], four[k + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
             __builtin_shufflevector(four[k], four[k + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  }
  return __builtin_shufflevector(two[0], two[1], 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30) +
         __builtin_shufflevector(two[0], two[1], 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31);
}
#endif

KERNEL_INLINE V larger(V a, V b) { return a > b ? a : b; }
KERNEL_INLINE V smaller(V a, V b) { return a < b ? a : b; }

// Whether a lane is that large; NaN is not.
KERNEL_INLINE bool anyAtLeast(V v, float limit) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask((__m512)v, (__m512)splat(limit), _CMP_GE_OQ) != 0;
#elif defined(__AVX2__)
  return _mm256_movemask_ps(_mm256_cmp_ps((__m256)v, (__m256)splat(limit), _CMP_GE_OQ)) != 0;
#else
  for (int i = 0; i < LANES; i++)
    if (v[i] >= limit) return true;
  return false;
#endif
}

KERNEL_INLINE float maxLanes(V v) {
#if defined(__AVX512F__)
  const __m256 low = _mm512_castps512_ps256((__m512)v);
  const __m256 eight = _mm256_max_ps(low, _mm512_extractf32x8_ps((__m512)v, 1));
#elif defined(__AVX2__)
  const __m256 eight = (__m256)v;
#endif
#if defined(__AVX2__)
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
#else
  float highest = v[0];
  for (int i = 1; i < LANES; i++) highest = v[i] > highest ? v[i] : highest;
  return highest;
#endif
}
