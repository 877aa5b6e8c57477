#include "expert-exchange.h"

#include <algorithm>
#include <cstring>

ExpertExchange::ExpertExchange(std::shared_ptr<RankSet> ranks, const KernelTable* kernels, int hidden,
                               const std::vector<Expert>& experts, const int32_t* rankOf)
    : ranks_(std::move(ranks)),
      kernels_(kernels),
      hidden_(hidden),
      experts_(experts),
      rankOf_(rankOf, rankOf + experts.size()),
      counts_(experts.size()) {
  for (size_t r = 0; r < ranks_->size(); r++) {
    auto share = std::make_unique<Share>();
    share->kernels = kernels;
    share->hidden = hidden;
    shares_.push_back(std::move(share));
  }
}

ExpertExchange::~ExpertExchange() {
  for (const auto& share : shares_) share->await();
}

float* ExpertExchange::Share::reserve(size_t moreRows) {
  const size_t wanted = rows + moreRows;
  if (wanted > capacity) {
    const size_t size = wanted + wanted / 2;
    Aligned larger = allocateAligned(size * hidden * sizeof(float));
    if (rows > 0) std::memcpy(larger.get(), inbox.get(), sizeof(float) * rows * hidden);
    inbox = std::move(larger);
    outbox = allocateAligned(size * hidden * sizeof(float));
    capacity = size;
  }
  return static_cast<float*>(inbox.get()) + static_cast<size_t>(rows) * hidden;
}

void ExpertExchange::Share::run() {
  const float* from = static_cast<const float*>(inbox.get());
  float* to = static_cast<float*>(outbox.get());
  for (const Group& group : groups) {
    const size_t at = static_cast<size_t>(group.firstRow) * hidden;
    kernels->expertRows(*group.expert, from + at, group.rows, to + at);
  }
}

void ExpertExchange::dispatch(const float* x, int rows, int topK, const int32_t* indices) {
  KERNEL_ASSERT(!pending_);
  dispatchBegan_ = nowNs();
  rows_ = rows;
  topK_ = topK;
  for (const auto& share : shares_) {
    share->rows = 0;
    share->groups.clear();
  }
  place(x, indices);
  pending_ = true;
  for (size_t r = 0; r < shares_.size(); r++) {
    if (shares_[r]->rows > 0) (*ranks_)[r]->submit(shares_[r].get());
  }
  dispatchEnded_ = nowNs();
}

// Sorts the slots by expert, in the order of the rows within an expert, and copies their rows to the ranks.
void ExpertExchange::place(const float* x, const int32_t* indices) {
  const int slots = rows_ * topK_;
  const int experts = static_cast<int>(experts_.size());
  std::fill(counts_.begin(), counts_.end(), 0);
  identities_.clear();
  for (int slot = 0; slot < slots; slot++) {
    if (indices[slot] < experts) counts_[indices[slot]]++;
    else identities_.push_back(slot);
  }
  // From now on: the place in ascending order that the next slot of an expert takes.
  int placed = 0;
  for (int e = 0; e < experts; e++) {
    const int count = counts_[e];
    counts_[e] = placed;
    placed += count;
    if (count == 0) continue;
    Share& share = *shares_[rankOf_[e]];
    share.reserve(count);
    share.groups.push_back({&experts_[e], share.rows, count});
    share.rows += count;
  }
  places_.resize(placed);
  for (int slot = 0; slot < slots; slot++) {
    if (indices[slot] < experts) places_[counts_[indices[slot]]++] = {slot, rankOf_[indices[slot]], 0};
  }
  // The experts of a rank lie in its inbox in ascending order too.
  filled_.assign(shares_.size(), 0);
  for (Place& at : places_) {
    at.row = filled_[at.rank]++;
    float* inbox = static_cast<float*>(shares_[at.rank]->inbox.get());
    std::memcpy(inbox + static_cast<size_t>(at.row) * hidden_, x + static_cast<size_t>(at.slot / topK_) * hidden_,
                sizeof(float) * hidden_);
  }
}

void ExpertExchange::combine(const float* x, const float* weights, float* out) {
  KERNEL_ASSERT(pending_);
  combineBegan_ = nowNs();
  for (const auto& share : shares_) share->await();
  pending_ = false;
  const size_t hidden = hidden_;
  std::fill_n(out, rows_ * hidden, 0.0f);  // No rows: `out` may be null.
  for (const Place& at : places_) {
    const float* answer = static_cast<const float*>(shares_[at.rank]->outbox.get()) + at.row * hidden;
    kernels_->addScaled(out + (at.slot / topK_) * hidden, answer, weights[at.slot], hidden_);
  }
  for (const int slot : identities_) {
    const size_t row = (slot / topK_) * hidden;
    kernels_->addScaled(out + row, x + row, weights[slot], hidden_);
  }
  combineEnded_ = nowNs();
}

void ExpertExchange::times(double* out) const {
  const int64_t own[] = {dispatchBegan_, dispatchEnded_, combineBegan_, combineEnded_};
  for (const int64_t ns : own) *out++ = static_cast<double>(ns) / 1000;
  for (const auto& share : shares_) {
    *out++ = share->rows > 0 ? static_cast<double>(share->beganNs()) / 1000 : 0;
    *out++ = share->rows > 0 ? static_cast<double>(share->endedNs()) / 1000 : 0;
  }
}
