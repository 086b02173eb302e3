// matmul                                           matmul.py:62
// spatial(4, 2) * repeat(2, 2) * spatial(4, 8) * repeat(4, 4): 256 workers, 64 tasks each
// repeat(4, 1) * spatial(32, 8): 256 workers, 4 tasks each
// repeat(4, 1) * spatial(2, 128): 256 workers, 4 tasks each
extern "C" __global__ void __launch_bounds__(256) matmul(
    const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c) {
  __shared__ float tile_a[2108];  // :64
  __shared__ float tile_b[2048];  // :65
  float next_a[4];                // :66
  float next_b[4];                // :67
  float sums[64];                 // :68
  int top = blockIdx.y * 128;     // :69
  int left = blockIdx.x * 128;    // :70
  #pragma unroll
  for (int r0 = 0; r0 < 2; ++r0) {  // repeat(2, 2)
    #pragma unroll
    for (int r1 = 0; r1 < 2; ++r1) {  // repeat(2, 2)
      #pragma unroll
      for (int r2 = 0; r2 < 4; ++r2) {  // repeat(4, 4)
        #pragma unroll
        for (int r3 = 0; r3 < 4; ++r3) {                 // repeat(4, 4)
          sums[r0 * 32 + r2 * 4 + r1 * 16 + r3] = 0.0f;  // :73
        }
      }
    }
  }
  for (int r = 0; r < 4; ++r) {        // repeat(4, 1)
    int i = threadIdx.x / 8 + r * 32;  // :74
    int k = threadIdx.x % 8;
    tile_a[k * 132 + i] = top + i < 131 ? a[(top + i) * 37 + k] : 0.0f;  // :75
  }
  for (int r = 0; r < 4; ++r) {         // repeat(4, 1)
    int k = threadIdx.x / 128 + r * 2;  // :76
    int j = threadIdx.x % 128;
    tile_b[threadIdx.x + r * 256] = left + j < 139 ? b[k * 139 + left + j] : 0.0f;  // :77
  }
  __syncthreads();                        // :78
  for (int step = 0; step < 5; ++step) {  // :80
    int now = step % 2;                   // :81
    int ahead = step * 8 + 8;             // :82
    #pragma unroll
    for (int r = 0; r < 4; ++r) {        // repeat(4, 1)
      int i = threadIdx.x / 8 + r * 32;  // :83
      int k = threadIdx.x % 8;
      next_a[r] = top + i < 131 && ahead + k < 37 ? a[(top + i) * 37 + ahead + k] : 0.0f;  // :84
    }
    #pragma unroll
    for (int r = 0; r < 4; ++r) {         // repeat(4, 1)
      int k = threadIdx.x / 128 + r * 2;  // :85
      int j = threadIdx.x % 128;
      next_b[r] = ahead + k < 37 && left + j < 139 ? b[(ahead + k) * 139 + left + j] : 0.0f;  // :86
    }
    for (int k = 0; k < 8; ++k) {  // :87
      #pragma unroll
      for (int r0 = 0; r0 < 2; ++r0) {  // repeat(2, 2)
        #pragma unroll
        for (int r1 = 0; r1 < 2; ++r1) {  // repeat(2, 2)
          #pragma unroll
          for (int r2 = 0; r2 < 4; ++r2) {  // repeat(4, 4)
            #pragma unroll
            for (int r3 = 0; r3 < 4; ++r3) {                                           // repeat(4, 4)
              int i = threadIdx.x / 64 * 32 + threadIdx.x / 8 % 4 * 4 + r0 * 16 + r2;  // :88
              int j = threadIdx.x / 32 % 2 * 64 + threadIdx.x % 8 * 4 + r1 * 32 + r3;
              sums[r0 * 32 + r2 * 4 + r1 * 16 + r3] += tile_a[now * 1056 + i + k * 132] * tile_b[now * 1024 + j + k * 128];  // :89
            }
          }
        }
      }
    }
    #pragma unroll
    for (int r = 0; r < 4; ++r) {        // repeat(4, 1)
      int i = threadIdx.x / 8 + r * 32;  // :90
      int k = threadIdx.x % 8;
      tile_a[(1 - now) * 1056 + k * 132 + i] = next_a[r];  // :91
    }
    #pragma unroll
    for (int r = 0; r < 4; ++r) {         // repeat(4, 1)
      int k = threadIdx.x / 128 + r * 2;  // :92
      int j = threadIdx.x % 128;
      tile_b[(1 - now) * 1024 + k * 128 + j] = next_b[r];  // :93
    }
    __syncthreads();  // :94
  }
  #pragma unroll
  for (int r0 = 0; r0 < 2; ++r0) {  // repeat(2, 2)
    #pragma unroll
    for (int r1 = 0; r1 < 2; ++r1) {  // repeat(2, 2)
      #pragma unroll
      for (int r2 = 0; r2 < 4; ++r2) {  // repeat(4, 4)
        #pragma unroll
        for (int r3 = 0; r3 < 4; ++r3) {                                           // repeat(4, 4)
          int i = threadIdx.x / 64 * 32 + threadIdx.x / 8 % 4 * 4 + r0 * 16 + r2;  // :96
          int j = threadIdx.x / 32 % 2 * 64 + threadIdx.x % 8 * 4 + r1 * 32 + r3;
          if (top + i < 131 && left + j < 139) {                                    // :97
            c[(top + i) * 139 + left + j] = sums[r0 * 32 + r2 * 4 + r1 * 16 + r3];  // :98
          }
        }
      }
    }
  }
}
