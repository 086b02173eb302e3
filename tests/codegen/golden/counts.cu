__device__ __forceinline__ double exchange_f64(double* p, double x) {
  return __longlong_as_double(atomicExch((unsigned long long*)p,
      (unsigned long long)__double_as_longlong(x)));
}

// counts                                           cuda_kernels.py:115
extern "C" __global__ void __launch_bounds__(128) counts(
    const int* __restrict__ keys, int* __restrict__ histogram, long long* __restrict__ largest,
    double* __restrict__ weights) {
  int i = blockIdx.x * 128 + threadIdx.x;                         // :118
  if (i < 500) {                                                  // :119
    int key = keys[i] & 15;                                       // :120
    atomicAdd(&histogram[key], 1);                                // :121
    atomicMax(&largest[0], (long long)keys[i]);                   // :122
    atomicAdd((unsigned long long*)&largest[1], (long long)key);  // :123
    atomicAdd(&weights[key], 0.25);                               // :124
    if (i == 77) {                                                // :125
      exchange_f64(&weights[16], 1.5);                            // :126
      atomicExch(&histogram[16], 4);                              // :127
      atomicCAS(&histogram[16], 4, 5);                            // :128
      atomicCAS(&histogram[16], 4, 6);                            // :129
    }
  }
}
