static void g711Decode(const uint8_t* bytes, size_t count, const float* table, float* out) {
  for (size_t i = 0; i < count; i++) out[i] = table[bytes[i]];
}

// table: the byte of each 16-bit sample, the lowest first. Rounds halves up; what is no number is silence.
static void g711Encode(const float* samples, size_t count, const uint8_t* table, uint8_t* out) {
  constexpr int RUN = 256;
  int32_t steps[RUN];
  for (size_t begin = 0; begin < count; begin += RUN) {
    const int run = count - begin < RUN ? (int)(count - begin) : RUN;
    for (int i = 0; i < run; i++) {
      const double scaled = samples[begin + i] == samples[begin + i] ? samples[begin + i] * 32768.0 + 0.5 : 0.0;
      const double inside = scaled < -32768.0 ? -32768.0 : scaled > 32767.0 ? 32767.0 : scaled;
      // Truncation of a positive number is its floor.
      steps[i] = (int32_t)(inside + 32768.0);
    }
    for (int i = 0; i < run; i++) out[begin + i] = table[steps[i]];
  }
}
