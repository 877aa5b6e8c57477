#pragma once

// The id that `draw` picks among the likeliest (kernels/sampling). `likeliest` is the arg-max; memory of the calling
// thread is used for the order of the ids.
int drawToken(const float* logits, int count, int likeliest, double temperature, int topK, double topP, double draw);
