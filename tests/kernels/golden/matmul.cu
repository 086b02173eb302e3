// matmul                                           matmul.py:66
// spatial(4, 2) * repeat(2, 2) * spatial(4, 8) * repeat(4, 4): 256 workers, 64 tasks each
// repeat(4, 1) * spatial(32, 8): 256 workers, 4 tasks each
// repeat(4, 1) * spatial(2, 128): 256 workers, 4 tasks each
extern "C" __global__ void __launch_bounds__(256) matmul(
    const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c) {
  __shared__ float tile_a[2108];  // :68
  __shared__ float tile_b[2048];  // :69
  float next_a[4];                // :70
  float next_b[4];                // :71
  float sums[64];                 // :72
  int top = blockIdx.y * 128;     // :73
  int left = blockIdx.x * 128;    // :74
  #pragma unroll
  for (int r0 = 0; r0 < 2; ++r0) {  // repeat(2, 2)
    #pragma unroll
    for (int r1 = 0; r1 < 2; ++r1) {  // repeat(2, 2)
      #pragma unroll
      for (int r2 = 0; r2 < 4; ++r2) {  // repeat(4, 4)
        #pragma unroll
        for (int r3 = 0; r3 < 4; ++r3) {                 // repeat(4, 4)
          sums[r0 * 32 + r2 * 4 + r1 * 16 + r3] = 0.0f;  // :77
        }
      }
    }
  }
  for (int r = 0; r < 4; ++r) {        // repeat(4, 1)
    int i = threadIdx.x / 8 + r * 32;  // :78
    int k = threadIdx.x % 8;
    tile_a[k * 132 + i] = top + i < 131 ? a[(top + i) * 37 + k] : 0.0f;  // :79
  }
  for (int r = 0; r < 4; ++r) {         // repeat(4, 1)
    int k = threadIdx.x / 128 + r * 2;  // :80
    int j = threadIdx.x % 128;
    tile_b[threadIdx.x + r * 256] = left + j < 139 ? b[k * 139 + left + j] : 0.0f;  // :81
  }
  __syncthreads();                        // :82
  for (int step = 0; step < 5; ++step) {  // :84
    int now = step % 2;                   // :85
    int ahead = step * 8 + 8;             // :86
    #pragma unroll
    for (int r = 0; r < 4; ++r) {        // repeat(4, 1)
      int i = threadIdx.x / 8 + r * 32;  // :87
      int k = threadIdx.x % 8;
      next_a[r] = top + i < 131 && ahead + k < 37 ? a[(top + i) * 37 + ahead + k] : 0.0f;  // :88
    }
    #pragma unroll
    for (int r = 0; r < 4; ++r) {         // repeat(4, 1)
      int k = threadIdx.x / 128 + r * 2;  // :89
      int j = threadIdx.x % 128;
      next_b[r] = ahead + k < 37 && left + j < 139 ? b[(ahead + k) * 139 + left + j] : 0.0f;  // :90
    }
    for (int k = 0; k < 8; ++k) {  // :91
      #pragma unroll
      for (int r0 = 0; r0 < 2; ++r0) {  // repeat(2, 2)
        #pragma unroll
        for (int r1 = 0; r1 < 2; ++r1) {  // repeat(2, 2)
          #pragma unroll
          for (int r2 = 0; r2 < 4; ++r2) {  // repeat(4, 4)
            #pragma unroll
            for (int r3 = 0; r3 < 4; ++r3) {                                           // repeat(4, 4)
              int i = threadIdx.x / 64 * 32 + threadIdx.x / 8 % 4 * 4 + r0 * 16 + r2;  // :92
              int j = threadIdx.x / 32 % 2 * 64 + threadIdx.x % 8 * 4 + r1 * 32 + r3;
              sums[r0 * 32 + r2 * 4 + r1 * 16 + r3] += tile_a[now * 1056 + k * 132 + i] * tile_b[now * 1024 + k * 128 + j];  // :93
            }
          }
        }
      }
    }
    #pragma unroll
    for (int r = 0; r < 4; ++r) {        // repeat(4, 1)
      int i = threadIdx.x / 8 + r * 32;  // :94
      int k = threadIdx.x % 8;
      tile_a[(1 - now) * 1056 + k * 132 + i] = next_a[r];  // :95
    }
    #pragma unroll
    for (int r = 0; r < 4; ++r) {         // repeat(4, 1)
      int k = threadIdx.x / 128 + r * 2;  // :96
      int j = threadIdx.x % 128;
      tile_b[(1 - now) * 1024 + k * 128 + j] = next_b[r];  // :97
    }
    __syncthreads();  // :98
  }
  #pragma unroll
  for (int r0 = 0; r0 < 2; ++r0) {  // repeat(2, 2)
    #pragma unroll
    for (int r1 = 0; r1 < 2; ++r1) {  // repeat(2, 2)
      #pragma unroll
      for (int r2 = 0; r2 < 4; ++r2) {  // repeat(4, 4)
        #pragma unroll
        for (int r3 = 0; r3 < 4; ++r3) {                                           // repeat(4, 4)
          int i = threadIdx.x / 64 * 32 + threadIdx.x / 8 % 4 * 4 + r0 * 16 + r2;  // :100
          int j = threadIdx.x / 32 % 2 * 64 + threadIdx.x % 8 * 4 + r1 * 32 + r3;
          if (top + i < 131 && left + j < 139) {                                    // :101
            c[(top + i) * 139 + left + j] = sums[r0 * 32 + r2 * 4 + r1 * 16 + r3];  // :102
          }
        }
      }
    }
  }
}
