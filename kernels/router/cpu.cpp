// From logits to the chosen experts of each row, softmax in double like the reference.
static void route(const float* logits, int rows, int experts, const float* selectionBias, int topK, float factor,
                  int32_t* indices, float* weights) {
  double* powers = (double*)scratch(0, 5 * (size_t)experts);
  float* probabilities = (float*)(powers + experts);
  float* choice = probabilities + experts;
  uint8_t* taken = (uint8_t*)(choice + experts);
  for (int r = 0; r < rows; r++, logits += experts, indices += topK, weights += topK) {
    float max = -__builtin_inff();
    for (int e = 0; e < experts; e++) max = logits[e] > max ? logits[e] : max;
    double sum = 0;
    for (int e = 0; e < experts; e++) {
      powers[e] = exp((double)logits[e] - max);
      sum += powers[e];
    }
    for (int e = 0; e < experts; e++) {
      probabilities[e] = (float)(powers[e] / sum);
      choice[e] = probabilities[e] + selectionBias[e];
    }
    memset(taken, 0, experts);
    for (int k = 0; k < topK; k++) {
      // Repeated arg-max, the first of equals; kept in ascending order by insertion.
      int best = -1;
      for (int e = 0; e < experts; e++) {
        if (!taken[e] && (best < 0 || choice[e] > choice[best])) best = e;
      }
      taken[best] = 1;
      int at = k;
      for (; at > 0 && indices[at - 1] > best; at--) indices[at] = indices[at - 1];
      indices[at] = best;
    }
    for (int k = 0; k < topK; k++) weights[k] = (float)((double)factor * probabilities[indices[k]]);
  }
}
