#include "language-model.h"

#include <algorithm>
#include <cstring>

namespace cuda {

namespace {

// Counts at the beginning of the staging memory, read by the kernels of a graph.
enum Header { ROWS, SAMPLED, SPEAKING, HEADER_INTS = 64 };

}  // namespace

LanguageModel::Staging LanguageModel::stagingOf(const ModelShape& shape, const ModelLimits& limits) {
  Staging s{};
  const auto place = [&s](size_t bytes) {
    const size_t at = s.bytes;
    s.bytes += Arena::rounded(bytes);
    return at;
  };
  const size_t rows = limits.rows, sampled = limits.sampled, number = sizeof(int);
  constexpr size_t WINDOW = ModelShape::WINDOW, CODEBOOKS = ModelShape::CODEBOOKS;
  s.header = place(HEADER_INTS * number);
  s.ids = place(rows * shape.tables() * number);
  s.featureOf = place(rows * number);
  s.sequenceOf = place(rows * number);
  s.positions = place(rows * number);
  s.table = place(rows * limits.sequencePages * number);
  s.chosen = place(sampled * number);
  s.textHistories = place(sampled * WINDOW * number);
  s.textCounts = place(sampled * number);
  s.codeHistories = place(CODEBOOKS * sampled * WINDOW * number);
  s.codeCounts = place(CODEBOOKS * sampled * number);
  s.textFactors = place(sampled * sizeof(double));
  s.codeFactors = place(sampled * sizeof(double));
  s.requests = place(sampled * sizeof(SamplingRow));
  return s;
}

LanguageModel::LanguageModel(const ModelShape& shape, const ModelLimits& limits, size_t weightBytes)
    : Component(weightBytes),
      shape_(shape),
      limits_(limits),
      weightBytes_(weightBytes),
      workBytes_(planWork()),
      pageBytes_(static_cast<size_t>(limits.pages) * limits.pageRows * 2 * shape.layers * shape.latent.cached() *
                 (limits.isCacheBfloat16 ? 2 : 4)),
      places_(stagingOf(shape, limits)),
      work_(workBytes_),
      pages_(pageBytes_),
      staging_(places_.bytes),
      results_(static_cast<size_t>(limits.sampled) * (2 + ModelShape::CODEBOOKS) * sizeof(int)) {
  // The same calls as when it was planned, now with memory.
  const size_t rows = limits.rows, sampled = limits.sampled, slots = rows * shape.topK;
  const auto floats = [&](size_t count) { return work_.take<float>(count); };
  const LatentShape& latent = shape.latent;
  device_ = work_.take<char>(places_.bytes);
  vectors_ = floats(rows * shape.hidden);
  x_ = floats(rows * shape.hidden);
  early_ = floats(rows * shape.hidden);
  normed_ = floats(rows * shape.hidden);
  narrow_ = floats(rows * shape.queryRank);
  query_ = floats(rows * latent.heads * latent.query());
  down_ = floats(rows * latent.cached());
  absorbed_ = floats(rows * latent.heads * latent.cached());
  partial_ = floats(rows * latent.heads * limits.parts.parts * (latent.rank + 2));
  attended_ = floats(rows * latent.heads * latent.value);
  inner_ = floats(rows * shape.ffn);
  routerLogits_ = floats(rows * shape.experts());
  routerWeights_ = floats(slots);
  expertInner_ = floats(slots * shape.expertFfn);
  answers_ = floats(slots * shape.hidden);
  mixed_ = floats(rows * shape.hidden);
  indices_ = work_.take<int>(slots);
  groups_ = {work_.take<int>(slots), work_.take<int>(1),
             work_.take<int>(3 * static_cast<size_t>(mostTiles(static_cast<int>(slots), shape.routedExperts)))};
  last_ = floats(sampled * shape.hidden);
  final_ = floats(sampled * shape.hidden);
  logits_ = floats(sampled * shape.vocabSize);
  codeLogits_ = floats(sampled * std::max(1, shape.codeVocabSize));
  order_ = work_.take<uint64_t>(sampled * sortRoom(shape.vocabSize));
  // Results lie together: one copy takes them out.
  text_ = work_.take<int>(sampled * (2 + ModelShape::CODEBOOKS));
  codes_ = text_ + sampled;
  shares_ = reinterpret_cast<float*>(codes_ + sampled * ModelShape::CODEBOOKS);
  check(cudaMemsetAsync(text_, 0, sampled * (2 + ModelShape::CODEBOOKS) * sizeof(int), main_), "clearing");
  for (int i = 0; i < limits.sampled; i++) staged<double>(places_.codeFactors)[i] = shape.codePenalty;
}

size_t LanguageModel::planWork() {
  const ModelShape& s = shape_;
  const size_t rows = limits_.rows, sampled = limits_.sampled, slots = rows * s.topK;
  const LatentShape& latent = s.latent;
  size_t bytes = 0;
  const auto add = [&bytes](size_t count, size_t size = sizeof(float)) { bytes += Arena::rounded(count * size); };
  add(stagingOf(s, limits_).bytes, 1);
  for (int i = 0; i < 5; i++) add(rows * s.hidden);  // vectors, x, early, normed, mixed
  add(rows * s.queryRank);
  add(rows * latent.heads * latent.query());
  add(rows * latent.cached());
  add(rows * latent.heads * latent.cached());
  add(rows * latent.heads * limits_.parts.parts * (latent.rank + 2));
  add(rows * latent.heads * latent.value);
  add(rows * s.ffn);
  add(rows * s.experts());
  add(slots);
  add(slots * s.expertFfn);
  add(slots * s.hidden);
  add(slots);
  add(slots);
  add(1);
  add(3 * static_cast<size_t>(mostTiles(static_cast<int>(slots), s.routedExperts)));
  add(sampled * s.hidden);
  add(sampled * s.hidden);
  add(sampled * s.vocabSize);
  add(sampled * std::max(1, s.codeVocabSize));
  add(sampled * sortRoom(s.vocabSize), sizeof(uint64_t));
  add(sampled * (2 + ModelShape::CODEBOOKS));
  return bytes;
}

void LanguageModel::readBlock(Block& block) {
  const auto& [heads, nope, rope, value, rank] = shape_.latent;
  const int hidden = shape_.hidden;
  block.inputNorm = floats(hidden);
  block.postNorm = floats(hidden);
  block.queryNorm = floats(shape_.queryRank);
  block.latentNorm = floats(rank);
  block.queryDown = matrix(shape_.queryRank, hidden);
  block.queryUp = matrix(heads * (nope + rope), shape_.queryRank);
  block.latentDown = matrix(rank + rope, hidden);
  block.expansion = matrix(heads * (nope + value), rank);
  block.output = matrix(hidden, heads * value);
  block.gate = matrix(shape_.ffn, hidden);
  block.up = matrix(shape_.ffn, hidden);
  block.down = matrix(hidden, shape_.ffn);
}

void LanguageModel::readWeights() {
  const int hidden = shape_.hidden;
  frequencies_ = floats(shape_.latent.rope / 2);
  tables_.count = shape_.tables();
  for (int t = 0; t < tables_.count; t++) {
    const Matrix table = matrix(t == 0 ? shape_.vocabSize : shape_.codeVocabSize, hidden);
    tables_.values[t] = table.values;
    tables_.isBfloat16[t] = table.isBfloat16;
  }
  layers_.resize(shape_.layers);
  std::vector<Expert> table;
  for (Layer& layer : layers_) {
    for (Block& block : layer.blocks) readBlock(block);
    layer.router = matrix(shape_.experts(), hidden);
    layer.routerBias = floats(shape_.experts());
    table.clear();
    for (int e = 0; e < shape_.routedExperts; e++) {
      const Matrix gate = matrix(shape_.expertFfn, hidden), up = matrix(shape_.expertFfn, hidden),
                   down = matrix(hidden, shape_.expertFfn);
      table.push_back({gate.values, up.values, down.values});
      layer.experts = {nullptr, shape_.routedExperts, hidden, shape_.expertFfn, gate.isBfloat16, down.isBfloat16};
    }
    auto* onDevice = weights_.take<Expert>(table.size());
    check(cudaMemcpy(onDevice, table.data(), table.size() * sizeof(Expert), cudaMemcpyHostToDevice), "loading experts");
    layer.experts.table = onDevice;
  }
  finalNorm_ = floats(hidden);
  textHead_ = matrix(shape_.vocabSize, hidden);
  if (shape_.codeVocabSize > 0) {
    for (Matrix& head : codeHeads_) head = matrix(shape_.codeVocabSize, hidden);
    for (Matrix& embedding : cascade_) embedding = matrix(shape_.codeVocabSize, hidden);
  }
}

void LanguageModel::fill(const StepInput& in) {
  const auto put = [&](size_t at, const void* from, size_t count) {
    std::memcpy(staging_.at() + at, from, count * sizeof(int));
  };
  const size_t rows = in.rows, sampled = in.sampled, most = limits_.sampled;
  int* header = staged<int>(places_.header);
  header[ROWS] = in.rows;
  header[SAMPLED] = in.sampled;
  header[SPEAKING] = in.speaking;
  put(places_.ids, in.ids, rows * shape_.tables());
  put(places_.featureOf, in.featureOf, rows);
  put(places_.sequenceOf, in.sequenceOf, rows);
  put(places_.positions, in.positions, rows);
  put(places_.table, in.table, static_cast<size_t>(in.sequences) * limits_.sequencePages);
  put(places_.chosen, in.chosen, sampled);
  put(places_.textHistories, in.textHistories, sampled * ModelShape::WINDOW);
  put(places_.textCounts, in.textCounts, sampled);
  // Of each codebook on its own, so that its kernel reads one block.
  for (size_t codebook = 0; codebook < ModelShape::CODEBOOKS; codebook++) {
    for (size_t row = 0; row < sampled; row++) {
      const size_t from = row * ModelShape::CODEBOOKS + codebook, to = codebook * most + row;
      put(places_.codeHistories + to * ModelShape::WINDOW * sizeof(int), in.codeHistories + from * ModelShape::WINDOW,
          ModelShape::WINDOW);
      put(places_.codeCounts + to * sizeof(int), in.codeCounts + from, 1);
    }
  }
  std::memcpy(staging_.at() + places_.textFactors, in.textFactors, sampled * sizeof(double));
  std::memcpy(staging_.at() + places_.requests, in.requests, sampled * sizeof(SamplingRow));
}

void LanguageModel::step(const StepInput& in, const StepOutput& out) {
  fill(in);
  if (in.features > 0) {
    const size_t bytes = static_cast<size_t>(in.features) * shape_.hidden * sizeof(float);
    check(cudaMemcpyAsync(vectors_, in.vectors, bytes, cudaMemcpyHostToDevice, main_), "feature vectors");
  }
  const Graphs::Shape shape = {bucketOf(in.rows, limits_.rows), bucketOf(in.sampled, limits_.sampled)};
  graphs_.run(shape, main_, [&] { enqueueStep(shape.first, shape.second); });
  main_.wait();
  const int* results = reinterpret_cast<const int*>(results_.at());
  std::copy_n(results, in.sampled, out.text);
  std::copy_n(results + limits_.sampled, in.sampled * ModelShape::CODEBOOKS, out.codes);
  std::memcpy(out.waitShares, results + limits_.sampled * (1 + ModelShape::CODEBOOKS), in.sampled * sizeof(float));
}

void LanguageModel::enqueueStep(int mostRows, int mostSampled) {
  const int* header = onDevice<int>(places_.header);
  const Rows rows = {mostRows, header + ROWS};
  check(cudaMemcpyAsync(device_, staging_.at(), places_.bytes, cudaMemcpyHostToDevice, main_), "a step's input");
  embedding(tables_, shape_.hidden, onDevice<int>(places_.ids), rows, onDevice<int>(places_.featureOf), vectors_, x_,
            main_);
  for (size_t l = 0; l < layers_.size(); l++) enqueueLayer(layers_[l], static_cast<int>(l), rows);
  if (mostSampled > 0) enqueueChoices({mostSampled, header + SAMPLED}, {mostSampled, header + SPEAKING});
  const size_t bytes = static_cast<size_t>(limits_.sampled) * (2 + ModelShape::CODEBOOKS) * sizeof(int);
  check(cudaMemcpyAsync(results_.at(), text_, bytes, cudaMemcpyDeviceToHost, main_), "a step's output");
  check(cudaGetLastError(), "a step");
}

void LanguageModel::enqueueLayer(const Layer& layer, int index, Rows rows) {
  const int hidden = shape_.hidden;
  const Block &first = layer.blocks[0], &second = layer.blocks[1];
  enqueueAttention(first, 2 * index, rows);
  rmsNorm(x_, first.postNorm, rows, hidden, shape_.normEpsilon, early_, main_);
  // The experts work beside everything from here …
  begun_.order(main_, side_);
  linear(layer.router, nullptr, early_, rows, nullptr, routerLogits_, side_);
  route(routerLogits_, layer.routerBias, rows, shape_.experts(), shape_.topK, shape_.routingFactor, indices_,
        routerWeights_, side_);
  groupSlots(indices_, rows, shape_.topK, shape_.routedExperts, groups_, side_);
  experts(layer.experts, early_, rows, shape_.topK, indices_, routerWeights_, groups_, expertInner_, answers_, nullptr,
          mixed_, side_);
  gated(first.gate, first.up, early_, rows, inner_, main_);
  linear(first.down, nullptr, inner_, rows, x_, x_, main_);
  enqueueAttention(second, 2 * index + 1, rows);
  rmsNorm(x_, second.postNorm, rows, hidden, shape_.normEpsilon, normed_, main_);
  gated(second.gate, second.up, normed_, rows, inner_, main_);
  linear(second.down, nullptr, inner_, rows, x_, x_, main_);
  // … to here.
  joined_.order(side_, main_);
  residual(x_, mixed_, nullptr, rows, hidden, main_);
}

void LanguageModel::enqueueAttention(const Block& block, int plane, Rows rows) {
  const LatentShape& latent = shape_.latent;
  const int planeNumbers = limits_.pageRows * latent.cached();
  const Places places = {onDevice<int>(places_.sequenceOf), onDevice<int>(places_.positions)};
  const Pages pages = {pages_.as<void>(),
                       static_cast<int64_t>(2) * shape_.layers * planeNumbers,
                       static_cast<int64_t>(plane) * planeNumbers,
                       limits_.pageRows,
                       limits_.isCacheBfloat16,
                       onDevice<int>(places_.table),
                       limits_.sequencePages};
  rmsNorm(x_, block.inputNorm, rows, shape_.hidden, shape_.normEpsilon, normed_, main_);
  linear(block.latentDown, nullptr, normed_, rows, nullptr, down_, main_);
  storeLatents(down_, block.latentNorm, shape_.latentNormEpsilon, frequencies_, rows, latent, places, pages, main_);
  linear(block.queryDown, nullptr, normed_, rows, nullptr, narrow_, main_);
  rmsNorm(narrow_, block.queryNorm, rows, shape_.queryRank, shape_.latentNormEpsilon, narrow_, main_);
  linear(block.queryUp, nullptr, narrow_, rows, nullptr, query_, main_);
  const RotaryLayout layout = {latent.heads * latent.query(), latent.nope, latent.heads, latent.query(),
                               latent.rope / 2};
  rotary(query_, rows, layout, frequencies_, places.positions, main_);
  latentAttention(block.expansion, latent, query_, rows, places, pages, limits_.parts, absorbed_, partial_, attended_,
                  main_);
  linear(block.output, nullptr, attended_, rows, x_, x_, main_);
}

void LanguageModel::enqueueChoices(Rows rows, Rows speaking) {
  const int vocab = shape_.vocabSize, size = shape_.codeVocabSize;
  gatherRows(x_, onDevice<int>(places_.chosen), rows, shape_.hidden, last_, main_);
  rmsNorm(last_, finalNorm_, rows, shape_.hidden, shape_.normEpsilon, final_, main_);
  linear(textHead_, nullptr, final_, rows, nullptr, logits_, main_);
  if (shape_.wait >= 0) takeWait(logits_, vocab, shape_.wait, rows, shares_, main_);
  penalise(logits_, vocab, vocab, onDevice<int>(places_.textHistories), onDevice<int>(places_.textCounts),
           ModelShape::WINDOW, onDevice<double>(places_.textFactors), rows, main_);
  sample(logits_, vocab, vocab, onDevice<SamplingRow>(places_.requests), rows, order_, text_, main_);
  if (size == 0) return;
  for (int i = 0; i < ModelShape::CODEBOOKS; i++) {
    linear(codeHeads_[i], nullptr, final_, speaking, nullptr, codeLogits_, main_);
    const size_t histories =
        places_.codeHistories + static_cast<size_t>(i) * limits_.sampled * ModelShape::WINDOW * sizeof(int);
    const size_t counts = places_.codeCounts + static_cast<size_t>(i) * limits_.sampled * sizeof(int);
    penalise(codeLogits_, size, size, onDevice<int>(histories), onDevice<int>(counts), ModelShape::WINDOW,
             onDevice<double>(places_.codeFactors), speaking, main_);
    argmax(codeLogits_, size, size, speaking, codes_ + i, ModelShape::CODEBOOKS, main_);
    if (i + 1 < ModelShape::CODEBOOKS)
      addTableRows(final_, cascade_[i], codes_ + i, ModelShape::CODEBOOKS, speaking, main_);
  }
}

}  // namespace cuda
