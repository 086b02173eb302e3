// block_sum                                        block_sum.py:25
extern "C" __global__ void __launch_bounds__(256) block_sum(const float* __restrict__ x, float* __restrict__ sums) {
  __shared__ float partial[8];                          // :27
  int lane = threadIdx.x;                               // :28
  int warp = threadIdx.y;                               // :29
  float total = 0.0f;                                   // :31
  for (int j = warp * 32 + lane; j < 1009; j += 256) {  // :32
    total += x[blockIdx.x * 1009 + j];                  // :33
  }
  total += __shfl_xor_sync(0xffffffffu, total, 16);  // :35
  total += __shfl_xor_sync(0xffffffffu, total, 8);
  total += __shfl_xor_sync(0xffffffffu, total, 4);
  total += __shfl_xor_sync(0xffffffffu, total, 2);
  total += __shfl_xor_sync(0xffffffffu, total, 1);
  if (lane == 0) {          // :36
    partial[warp] = total;  // :37
  }
  __syncthreads();                                    // :38
  if (warp == 0) {                                    // :40
    total = lane < 8 ? partial[lane] : 0.0f;          // :41
    total += __shfl_xor_sync(0xffffffffu, total, 4);  // :43
    total += __shfl_xor_sync(0xffffffffu, total, 2);
    total += __shfl_xor_sync(0xffffffffu, total, 1);
    if (lane == 0) {             // :44
      sums[blockIdx.x] = total;  // :45
    }
  }
}
