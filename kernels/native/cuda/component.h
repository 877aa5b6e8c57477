// What every component on the device has: its weights, which come one tensor at a time and are then read in the order
// in which they came, and the graphs of its steps.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "launchers.h"
#include "memory.h"

namespace cuda {

// A step of a shape is recorded once and started as a whole from then on.
class Graphs {
 public:
  Graphs() = default;
  Graphs(const Graphs&) = delete;
  ~Graphs();
  using Shape = std::pair<int, int>;
  void run(Shape shape, const Stream& stream, const std::function<void()>& enqueue);

 private:
  std::map<Shape, cudaGraphExec_t> graphs_;
};

// Graphs are made for these counts; a step uses the next larger one.
int bucketOf(int count, int most);

// Notes how much memory is wanted; the same calls on an Arena then take it.
class Plan {
 public:
  template <class T>
  T* take(size_t count) {
    bytes_ += Arena::rounded(count * sizeof(T));
    return nullptr;
  }
  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_ = 0;
};

class Component {
 public:
  explicit Component(size_t weightBytes) : weights_(weightBytes) {}
  virtual ~Component() = default;

  void load(const void* values, size_t count, bool isBfloat16);
  void finishLoading();
  // Planned on the device, weights included.
  virtual size_t bytes() const = 0;

 protected:
  virtual void readWeights() = 0;
  // The next tensor, whose size must be this.
  Matrix matrix(int outputs, int inputs);
  const float* floats(int count);
  // The next two: a matrix of floats, and a bias.
  struct Affine {
    Matrix matrix;
    const float* bias;
  };
  Affine affine(int outputs, int inputs);

  Arena weights_;

 private:
  struct Weight {
    const void* values;
    size_t count;
    bool isBfloat16;
  };
  std::vector<Weight> loaded_;
  size_t next_ = 0;
};

}  // namespace cuda
