// Compiled once per SIMD level (binding.gyp) with -DLEVEL=name: the kernels of all operations, in one namespace of
// their own so that no two levels share a symbol.
#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif
#include <math.h>
#include <string.h>

namespace LEVEL {
#include "simd.h"
#include "vector-math.h"
#include "limits.h"

#include "../linear/panels.h"
#include "../linear/transpose.h"
#include "../linear/one-output.h"
#include "../linear/int8.cpp"
#include "../linear/cpu.cpp"
#include "../rms-norm/cpu.cpp"
#include "../layer-norm/cpu.cpp"
#include "../swiglu/cpu.cpp"
#include "../gelu/cpu.cpp"
#include "../relu6/cpu.cpp"
#include "../residual/cpu.cpp"
#include "../snake/cpu.cpp"
#include "../rotary/cpu.cpp"
#include "../latent-attention/cpu.cpp"
#include "../router/cpu.cpp"
#include "../experts/cpu.cpp"
#include "../expert-ranks/cpu.cpp"
#include "../sampling/cpu.cpp"
#include "../penalty/cpu.cpp"
#include "../attention/cpu.cpp"
#include "../rotary-2d/cpu.cpp"
#include "../fsmn/cpu.cpp"
#include "../lstm/cpu.cpp"
#include "../fft/cpu.cpp"
#include "../fbank/cpu.cpp"
#include "../voice-frame/cpu.cpp"
#include "../double-linear/cpu.cpp"
#include "../vector-quantizer/cpu.cpp"
#include "../resample/cpu.cpp"
#include "../resize-bicubic/cpu.cpp"
#include "../cmvn/cpu.cpp"
#include "../splice/cpu.cpp"
#include "../patchify/cpu.cpp"
#include "../resize-bilinear/cpu.cpp"
#include "../yuv-to-rgb/cpu.cpp"
#include "../g711/cpu.cpp"
}  // namespace LEVEL

#define NAME_OF(level) #level
#define NAMED(level) NAME_OF(level)
#define TABLE_OF(level) kernels_##level
#define TABLE(level) TABLE_OF(level)

extern const KernelTable TABLE(LEVEL);
const KernelTable TABLE(LEVEL) = {
    .name = NAMED(LEVEL),
    .lanes = LEVEL::LANES,
    .matrixBytes = LEVEL::matrixBytes,
    .packMatrix = LEVEL::packMatrix,
    .packPanels = LEVEL::packSomePanels,
    .panelWidth = LEVEL::PANEL_WIDTH,
    .panelCount = LEVEL::panelCount,
    .multiply = LEVEL::multiply,
    .rmsNorm = LEVEL::rmsNorm,
    .layerNorm = LEVEL::layerNorm,
    .swiglu = LEVEL::swiglu,
    .gelu = LEVEL::gelu,
    .relu6 = LEVEL::relu6,
    .residual = LEVEL::residual,
    .snake = LEVEL::snake,
    .latentWidth = LEVEL::latentWidth,
    .latentQueries = LEVEL::latentQueries,
    .latentMix = LEVEL::latentMix,
    .latentValues = LEVEL::latentValues,
    .rotaryTurns = LEVEL::rotaryTurns,
    .rotate = LEVEL::rotate,
    .route = LEVEL::route,
    .experts = LEVEL::experts,
    .expertRows = LEVEL::expertRows,
    .addScaled = LEVEL::addScaled,
    .argmax = LEVEL::argmax,
    .penalise = LEVEL::penalise,
    .attention = LEVEL::attention,
    .rotary2d = LEVEL::rotary2d,
    .fsmn = LEVEL::fsmn,
    .lstm = LEVEL::lstm,
    .fft = LEVEL::fft,
    .powerSpectrum = LEVEL::powerSpectrum,
    .fbank = LEVEL::fbank,
    .voiceFrame = LEVEL::voiceFrame,
    .doubleLinear = LEVEL::doubleLinear,
    .nearest = LEVEL::nearest,
    .resample = LEVEL::resample,
    .bicubicHorizontal = LEVEL::bicubicHorizontal,
    .bicubicVertical = LEVEL::bicubicVertical,
    .cmvn = LEVEL::cmvn,
    .splice = LEVEL::splice,
    .patchify = LEVEL::patchify,
    .resizeBilinear = LEVEL::resizeBilinear,
    .yuvToRgb = LEVEL::yuvToRgb,
    .g711Decode = LEVEL::g711Decode,
    .g711Encode = LEVEL::g711Encode,
    .spinMultiplyAdds = LEVEL::spinMultiplyAdds,
    .readMemory = LEVEL::readMemory,
};
