#if defined(__AVX512F__)
// Sixteen rows of sixteen 32-bit words become the columns.
KERNEL_INLINE void transposeWords(__m512i* r) {
  __m512i t[16], u[16];
  for (int k = 0; k < 16; k += 2) {
    t[k] = _mm512_unpacklo_epi32(r[k], r[k + 1]);
    t[k + 1] = _mm512_unpackhi_epi32(r[k], r[k + 1]);
  }
  for (int k = 0; k < 16; k += 4) {
    u[k] = _mm512_unpacklo_epi64(t[k], t[k + 2]);
    u[k + 1] = _mm512_unpackhi_epi64(t[k], t[k + 2]);
    u[k + 2] = _mm512_unpacklo_epi64(t[k + 1], t[k + 3]);
    u[k + 3] = _mm512_unpackhi_epi64(t[k + 1], t[k + 3]);
  }
  for (int k = 0; k < 4; k++) {
    t[k] = _mm512_shuffle_i32x4(u[k], u[k + 4], 0x88);
    t[k + 4] = _mm512_shuffle_i32x4(u[k], u[k + 4], 0xdd);
    t[k + 8] = _mm512_shuffle_i32x4(u[k + 8], u[k + 12], 0x88);
    t[k + 12] = _mm512_shuffle_i32x4(u[k + 8], u[k + 12], 0xdd);
  }
  for (int k = 0; k < 8; k++) {
    r[k] = _mm512_shuffle_i32x4(t[k], t[k + 8], 0x88);
    r[k + 8] = _mm512_shuffle_i32x4(t[k], t[k + 8], 0xdd);
  }
}
#endif
