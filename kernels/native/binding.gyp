{
  # One static library per SIMD level, each compiling the same level.cpp with other flags; addon.cc picks one at load.
  "variables": {
    "sanitize%": "",
    "portable%": "",
    "variables": { "optimize%": "-O3" },
    "optimize%": "<(optimize)",
    "level_cflags": ["<(optimize)", "-std=c++20", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math",
                     "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-psabi",
                     "-Wno-maybe-uninitialized", "-Wno-uninitialized"]
  },
  "target_defaults": {
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-exceptions", "-fno-omit-frame-pointer"],
    "cflags!": ["-fno-omit-frame-pointer"],
    "conditions": [
      ["sanitize != ''", {
        "cflags": ["-fsanitize=<(sanitize)", "-g", "-fno-omit-frame-pointer"],
        "ldflags": ["-fsanitize=<(sanitize)"]
      }],
      ["portable != '' and OS == 'linux'", { "ldflags": ["-static-libstdc++", "-static-libgcc"] }],
      ["OS == 'mac'", { "xcode_settings": { "CLANG_CXX_LANGUAGE_STANDARD": "c++20", "GCC_ENABLE_CPP_EXCEPTIONS": "YES" } }]
    ]
  },
  "targets": [
    {
      "target_name": "level_scalar",
      "type": "static_library",
      "sources": ["level.cpp"],
      "defines": ["LEVEL=scalar", "SCALAR_LEVEL"],
      "cflags_cc": ["<@(level_cflags)"]
    },
    {
      "target_name": "longcat_kernels",
      "sources": ["../sampling/draw.cpp", "../../protocols/server/receive-buffer.cpp", "../../protocols/rtp/datagrams.cpp", "addon.cpp", "dispatch.cpp", "bind-audio.cpp", "bind-blocks.cpp", "bind-language-model.cpp", "bind-latent-block.cpp", "bind-linear.cpp", "bind-media.cpp", "bind-rows.cpp", "bind-signal.cpp",
                  "bind-vision.cpp", "bind-threads.cpp", "expert-exchange.cpp", "experts-on-pool.cpp", "latent-on-pool.cpp", "limits.cpp", "memory.cpp", "multiply-on-pool.cpp", "pool.cpp", "ranks.cpp", "shared-weights.cpp", "stored-weight.cpp"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NAPI_CPP_EXCEPTIONS"],
      "cflags_cc": ["<(optimize)", "-std=c++20", "-fexceptions", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-psabi"],
      "dependencies": ["level_scalar"],
      "conditions": [
        ["target_arch == 'x64'", { "dependencies": ["level_avx2", "level_avx512", "level_avx512vnni"] }],
        ["target_arch == 'arm64'", { "dependencies": ["level_neon"] }]
      ]
    }
  ],
  "conditions": [
    ["target_arch == 'x64'", {
      "targets": [
        {
          "target_name": "level_avx2",
          "type": "static_library",
          "sources": ["level.cpp"],
          "defines": ["LEVEL=avx2"],
          "cflags_cc": ["<@(level_cflags)", "-mavx2", "-mfma", "-mbmi2"]
        },
        {
          "target_name": "level_avx512",
          "type": "static_library",
          "sources": ["level.cpp"],
          "defines": ["LEVEL=avx512"],
          "cflags_cc": ["<@(level_cflags)", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma", "-mbmi2",
                        "-mprefer-vector-width=512"]
        },
        {
          "target_name": "level_avx512vnni",
          "type": "static_library",
          "sources": ["level.cpp"],
          "defines": ["LEVEL=avx512vnni"],
          "cflags_cc": ["<@(level_cflags)", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512vnni",
                        "-mavx512bf16", "-mfma", "-mbmi2", "-mprefer-vector-width=512"]
        }
      ]
    }],
    ["target_arch == 'arm64'", {
      "targets": [
        {
          "target_name": "level_neon",
          "type": "static_library",
          "sources": ["level.cpp"],
          "defines": ["LEVEL=neon"],
          "cflags_cc": ["<@(level_cflags)"]
        }
      ]
    }]
  ]
}
