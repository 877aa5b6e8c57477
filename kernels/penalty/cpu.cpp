// In place; every id once, with the power of its count.
static void penalise(float* logits, int count, const int32_t* history, int historyCount, double factor) {
  for (int i = 0; i < historyCount; i++) {
    const int32_t id = history[i];
    if (id < 0 || id >= count) continue;
    int times = 0;
    bool earlier = false;
    for (int j = 0; j < historyCount; j++) {
      if (history[j] != id) continue;
      earlier = earlier || j < i;
      times++;
    }
    if (earlier) continue;
    const double alpha = pow(factor, times);
    logits[id] = (float)(logits[id] < 0 ? logits[id] * alpha : logits[id] / alpha);
  }
}
