__device__ __forceinline__ int floor_div(int a, int b) {
  if (b == -1) return (int)(0u - a);
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}
__device__ __forceinline__ int floor_mod(int a, int b) {
  int r = b == -1 ? 0 : a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

// hashes                                           cuda_kernels.py:133
extern "C" __global__ void __launch_bounds__(64) hashes(
    const int* __restrict__ a, unsigned* __restrict__ b, signed char* __restrict__ c) {
  int i = threadIdx.x;           // :136
  int h = a[i];                  // :137
  for (int k = 0; k < 5; ++k) {  // :138
    h = h * 31u + k;             // :139
  }
  b[i] = (unsigned)h ^ ((unsigned)h >> 15u);  // :140
  c[i] = (signed char)((unsigned)floor_div(h, 7) + floor_mod(h, 7) + floor_div(i - 20, 3));  // :141
}
