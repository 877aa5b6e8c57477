// Elementary functions on vectors. Coefficients: least-squares fits reweighted towards the largest error, over the
// stated range; errors are against double-precision results and are checked by test/kernels/native-parity.test.ts.

// Nearest integer for |x| < 2^22: adding 1.5·2^23 leaves no room for a fraction.
KERNEL_INLINE V roundNearest(V x) {
  const V magic = splat(12582912.0f);
  return (x + magic) - magic;
}

// e^x, relative error below 2e-7; 0 below -87.3 (subnormal results are not made), infinite above 88.3, NaN stays.
KERNEL_INLINE V expV(V x) {
  const V clamped = smaller(x, splat(88.3f));
  const V inside = x < splat(-87.3f) ? splat(-87.3f) : (x > splat(88.3f) ? clamped : x);
  const V n = roundNearest(inside * splat(1.44269504f));
  V r = fma(n, splat(-0.693359375f), inside);
  r = fma(n, splat(2.12194440e-4f), r);
  V p = splat(1.3951717e-3f);
  p = fma(p, r, splat(8.3695985e-3f));
  p = fma(p, r, splat(4.1666187e-2f));
  p = fma(p, r, splat(1.6666512e-1f));
  p = fma(p, r, splat(0.5f));
  p = fma(p, r * r, r) + splat(1.0f);
  const V safe = n == n ? n : splat(0.0f);
  const V power = (V)((__builtin_convertvector(safe, VI) + 127) << 23);
  V result = p * power;
  result = x < splat(-87.3f) ? splat(0.0f) : result;
  return x > splat(88.3f) ? splat(__builtin_inff()) : result;
}

KERNEL_INLINE V sigmoidV(V x) { return splat(1.0f) / (splat(1.0f) + expV(-x)); }

KERNEL_INLINE V magnitude(V x) { return (V)((VI)x & 0x7fffffff); }

// Absolute error below 2e-7.
KERNEL_INLINE V tanhV(V x) {
  const V e = expV(magnitude(x) * splat(-2.0f));
  const V t = (splat(1.0f) - e) / (splat(1.0f) + e);
  return (V)((VI)t | ((VI)x & (int32_t)0x80000000));
}

// x·½(1 + erf(x/√2)) through erfc(t) = e^-Q(t), Q a polynomial on [0, 4.5]; both signs keep their small values.
KERNEL_INLINE V geluV(V x) {
  const V t = smaller(magnitude(x) * splat(0.70710678f), splat(4.5f));
  V q = splat(-1.0504647e-7f);
  q = fma(q, t, splat(2.6552766e-6f));
  q = fma(q, t, splat(-2.9727173e-5f));
  q = fma(q, t, splat(1.9327411e-4f));
  q = fma(q, t, splat(-7.8748964e-4f));
  q = fma(q, t, splat(1.8507401e-3f));
  q = fma(q, t, splat(-2.8672061e-4f));
  q = fma(q, t, splat(-1.9105285e-2f));
  q = fma(q, t, splat(1.0276903e-1f));
  q = fma(q, t, splat(6.3661999e-1f));
  q = fma(q, t, splat(1.1283792f));
  // Beyond the fitted range erfc is below 2e-10 and keeps falling.
  const V beyond = magnitude(x) * splat(0.70710678f) - t;
  const V half = splat(0.5f) * expV(-(q * t) - beyond * splat(9.0f));
  const V weight = x < splat(0.0f) ? half : splat(1.0f) - half;
  const V result = x * weight;
  // 0·∞ has no place here: far below zero the function is zero.
  return x < splat(-20.0f) ? splat(-0.0f) : (x == x ? result : x);
}

// sin²(a·x) for |a·x| < 8192, absolute error below 4e-7: the product keeps its low half, π is taken off in three parts.
KERNEL_INLINE V sineSquaredV(V a, V x) {
  const V high = a * x;
  const V low = fma(a, x, -high);
  const V n = roundNearest(high * splat(0.31830989f));
  V r = fma(n, splat(-3.140625f), high);
  r = fma(n, splat(-9.675025939941406e-4f), r);
  r = fma(n, splat(-1.5099580e-7f), r) + low;
  const V r2 = r * r;
  V p = splat(-2.3823027e-8f);
  p = fma(p, r2, splat(2.7521232e-6f));
  p = fma(p, r2, splat(-1.9840775e-4f));
  p = fma(p, r2, splat(8.3333300e-3f));
  p = fma(p, r2, splat(-1.6666667e-1f));
  const V sine = fma(p * r2, r, r);
  return sine * sine;
}
