__device__ __forceinline__ int floor_mod(int a, int b) {
  int r = b == -1 ? 0 : a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
__device__ __forceinline__ float infinity_f32() { return __uint_as_float(0x7f800000u); }

// gelu                                             cuda_kernels.py:68
__device__ float gelu(float x) {
  return x / (1.0f + expf(-1.702f * x));  // :69
}

// control                                          cuda_kernels.py:73
extern "C" __global__ void __launch_bounds__(64) control(
    const float* __restrict__ x, const int* __restrict__ steps, float* __restrict__ y, int n) {
  int i = threadIdx.x;     // :76
  if (i < n) {             // :77
    float total = 0.0f;    // :78
    int k = 0;             // :79
    while (true) {         // :80
      k += 1u;             // :81
      if (k > steps[i]) {  // :82
        break;             // :83
      }
      if (floor_mod(k, 3) == 0) {  // :84
        continue;                  // :85
      }
      total += gelu(x[i]) * (float)k;  // :86
    }
    for (int back = 9; back > -1; back -= 2) {  // :87
      total -= (float)back;                     // :88
    }
    if (i < 8) {                                               // :89
      y[i] = total;                                            // :90
    } else if (i < 16) {                                       // :91
      y[i] = total > 0.0f ? -infinity_f32() : infinity_f32();  // :92
    } else {
      y[i] = total / 2.0f;  // :94
    }
  }
}
