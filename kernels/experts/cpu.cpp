// out row += weight · y, each product rounded before it is added (docs/spec/model.md §1.4).
static void addScaled(float* out, const float* y, float weight, int width) {
  for (int i = 0; i < width; i += LANES) {
    const int n = width - i < LANES ? width - i : LANES;
    storePart(out + i, loadPart(out + i, n) + splat(weight) * loadPart(y + i, n), n);
  }
}

// The slots (row, choice) of one expert, in the order of the rows.
static int slotsOf(int expert, const int32_t* indices, int slotCount, int32_t* slots) {
  int count = 0;
  for (int slot = 0; slot < slotCount; slot++) {
    if (indices[slot] == expert) slots[count++] = slot;
  }
  return count;
}

// Dispatch (gather the rows of an expert), compute, combine, in ascending order of the expert; identity experts last.
static void experts(const Expert* experts, int expertCount, int hidden, int inner, const float* x, int rows, int topK,
                    const int32_t* indices, const float* weights, float* out) {
  const int slotCount = rows * topK;
  int32_t* slots = (int32_t*)scratch(0, slotCount);
  float* inputs = scratch(1, (size_t)rows * hidden);
  float* gate = scratch(2, (size_t)rows * inner);
  float* up = scratch(3, (size_t)rows * inner);
  float* down = scratch(4, (size_t)rows * hidden);
  uint8_t* used = (uint8_t*)scratch(5, (size_t)expertCount / 4 + 1);
  memset(used, 0, expertCount);
  for (int slot = 0; slot < slotCount; slot++) {
    if (indices[slot] < expertCount) used[indices[slot]] = 1;
  }
  memset(out, 0, sizeof(float) * rows * hidden);

  for (int e = 0; e < expertCount; e++) {
    if (!used[e]) continue;
    const int count = slotsOf(e, indices, slotCount, slots);
    for (int g = 0; g < count; g++) {
      memcpy(inputs + (size_t)g * hidden, x + (size_t)(slots[g] / topK) * hidden, sizeof(float) * hidden);
    }
    multiplyAll(experts[e].gate, inputs, count, gate);
    multiplyAll(experts[e].up, inputs, count, up);
    swiglu(gate, up, (size_t)count * inner, gate);
    multiplyAll(experts[e].down, gate, count, down);
    for (int g = 0; g < count; g++) {
      addScaled(out + (size_t)(slots[g] / topK) * hidden, down + (size_t)g * hidden, weights[slots[g]], hidden);
    }
  }
  for (int slot = 0; slot < slotCount; slot++) {
    const size_t row = (size_t)(slot / topK) * hidden;
    if (indices[slot] >= expertCount) addScaled(out + row, x + row, weights[slot], hidden);
  }
}
