// In place; every id once, with the power of its count. Counts live in memory as wide as the vocabulary, of which only
// the places of the history are touched.
static void penalise(float* logits, int count, const int32_t* history, int historyCount, double factor) {
  int32_t* times = (int32_t*)scratch(0, count);
  for (int i = 0; i < historyCount; i++) {
    if (history[i] >= 0 && history[i] < count) times[history[i]] = 0;
  }
  for (int i = 0; i < historyCount; i++) {
    if (history[i] >= 0 && history[i] < count) times[history[i]]++;
  }
  int powered = 0;
  double alpha = 1;
  for (int i = 0; i < historyCount; i++) {
    const int32_t id = history[i];
    if (id < 0 || id >= count || times[id] == 0) continue;
    if (times[id] != powered) alpha = pow(factor, times[id]);
    powered = times[id];
    times[id] = 0;
    logits[id] = (float)(logits[id] < 0 ? logits[id] * alpha : logits[id] / alpha);
  }
}
