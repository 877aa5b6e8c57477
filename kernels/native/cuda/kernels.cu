// All kernels of the device in one piece, as level.cpp is for the processor: each operation's own file, beside its
// reference.
#include "launchers.h"

#include "../../linear/cuda.cu"
#include "../../swiglu/cuda.cu"
#include "../../feed-forward/cuda.cu"
#include "../../rms-norm/cuda.cu"
#include "../../residual/cuda.cu"
#include "../../rotary/cuda.cu"
#include "../../latent-block/cuda.cu"
#include "../../latent-attention/cuda.cu"
#include "../../router/cuda.cu"
#include "../../experts/cuda.cu"
#include "../../embedding/cuda.cu"
#include "../../codebook-heads/cuda.cu"
#include "../../penalty/cuda.cu"
#include "../../sampling/cuda.cu"
