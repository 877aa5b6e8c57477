// The input's share of the gates for a block of steps at once, then step by step the recurrent share.
constexpr int LSTM_BLOCK = 24;

static void lstmStep(const float* fromInput, const float* fromState, int hidden, float* h, float* c) {
  for (int n = 0; n < hidden; n += LANES) {
    const int part = hidden - n < LANES ? hidden - n : LANES;
    V gates[4];
    for (int g = 0; g < 4; g++) {
      gates[g] = loadPart(fromInput + g * hidden + n, part) + loadPart(fromState + g * hidden + n, part);
    }
    const V kept = sigmoidV(gates[1]) * loadPart(c + n, part);
    const V cell = fma(sigmoidV(gates[0]), tanhV(gates[2]), kept);
    storePart(c + n, cell, part);
    storePart(h + n, sigmoidV(gates[3]) * tanhV(cell), part);
  }
}

static void lstm(const Matrix& input, const Matrix& recurrent, int hidden, const float* x, int rows, float* h, float* c,
                 float* out) {
  float* fromInput = scratch(0, (size_t)LSTM_BLOCK * 4 * hidden);
  float* fromState = scratch(1, (size_t)4 * hidden);
  for (int t = 0; t < rows; t += LSTM_BLOCK) {
    const int count = rows - t < LSTM_BLOCK ? rows - t : LSTM_BLOCK;
    multiplyAll(input, x + (size_t)t * input.inputs, count, fromInput);
    for (int s = 0; s < count; s++) {
      multiplyAll(recurrent, h, 1, fromState);
      lstmStep(fromInput + (size_t)s * 4 * hidden, fromState, hidden, h, c);
      memcpy(out + (size_t)(t + s) * hidden, h, sizeof(float) * hidden);
    }
  }
}
