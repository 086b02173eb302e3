// copy_2d                                          copy_2d.py:18
// repeat(4, 1) * spatial(8, 32): 256 workers, 4 tasks each
extern "C" __global__ void __launch_bounds__(256) copy_2d(const float* __restrict__ a, float* __restrict__ b) {
  for (int r = 0; r < 4; ++r) {
    int i = threadIdx.x / 32 + r * 8;  // :20
    int j = threadIdx.x % 32;
    int row = blockIdx.y * 32 + i;                    // :21
    int column = blockIdx.x * 32 + j;                 // :22
    if (row < 67 && column < 101) {                   // :23
      b[row * 101 + column] = a[row * 101 + column];  // :24
    }
  }
}
