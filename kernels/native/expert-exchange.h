// The experts of one layer spread over ranks (kernels/expert-ranks). Dispatch gathers each rank's rows into its inbox
// and starts it; combine waits for the outboxes and adds them in ascending order of the expert, so that the sum does
// not depend on who computed what.
#pragma once
#include <memory>
#include <vector>

#include "kernels.h"
#include "memory.h"
#include "ranks.h"

class ExpertExchange {
 public:
  // rankOf: the rank of each expert; the experts' weights are kept alive by the caller.
  ExpertExchange(std::shared_ptr<RankSet> ranks, const KernelTable* kernels, int hidden,
                 const std::vector<Expert>& experts, const int32_t* rankOf);
  ~ExpertExchange();

  bool isPending() const { return pending_; }
  int hidden() const { return hidden_; }
  int rows() const { return rows_; }
  int topK() const { return topK_; }

  // x [rows × hidden], indices [rows × topK] ≥ 0; those beyond the experts return their row (identity experts).
  void dispatch(const float* x, int rows, int topK, const int32_t* indices);
  // The same x, and weights [rows × topK].
  void combine(const float* x, const float* weights, float* out);

  // Of the last exchange, in µs: dispatch began, ended, combine began, ended, then each rank's computing began and
  // ended (both 0 when it got no rows). 4 + 2 · ranks numbers.
  void times(double* out) const;

 private:
  // One rank's part.
  struct Share : RankWork {
    struct Group {
      const Expert* expert;
      int firstRow, rows;
    };
    const KernelTable* kernels = nullptr;
    int hidden = 0;
    int rows = 0;
    size_t capacity = 0;
    Aligned inbox, outbox;
    std::vector<Group> groups;
    void run() override;
    float* reserve(size_t moreRows);
  };
  // Where the answer for a slot (row, choice) will lie.
  struct Place {
    int slot, rank, row;
  };

  void place(const float* x, const int32_t* indices);

  std::shared_ptr<RankSet> ranks_;
  const KernelTable* kernels_;
  int hidden_;
  std::vector<Expert> experts_;
  std::vector<int32_t> rankOf_;
  std::vector<std::unique_ptr<Share>> shares_;
  std::vector<int> counts_;      // Per expert.
  std::vector<int> filled_;      // Per rank.
  std::vector<Place> places_;    // In ascending order of the expert.
  std::vector<int> identities_;  // Slots of identity experts.
  bool pending_ = false;
  int rows_ = 0, topK_ = 0;
  int64_t dispatchBegan_ = 0, dispatchEnded_ = 0, combineBegan_ = 0, combineEnded_ = 0;
};
