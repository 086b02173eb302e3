// CUDA C++ on a CPU, as far as generated kernels need it: one block after another, its threads as
// fibers that take turns at barriers and warp operations.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <tuple>
#include <type_traits>
#include <ucontext.h>
#include <vector>

#define __global__
#define __device__ static
#define __forceinline__ inline
#define __constant__ static const
#define __shared__ static
#define __launch_bounds__(n)
#define __align__(n) __attribute__((aligned(n)))

struct uint3 { unsigned x, y, z; };
static uint3 threadIdx, blockIdx, blockDim, gridDim;

#define VECTORS(name, t, align2, align4) \
  struct __align__(align2) name##2 { t x, y; }; \
  struct __align__(align4) name##4 { t x, y, z, w; }; \
  static inline name##2 make_##name##2(t x, t y) { return {x, y}; } \
  static inline name##4 make_##name##4(t x, t y, t z, t w) { return {x, y, z, w}; }
VECTORS(float, float, 8, 16)
VECTORS(double, double, 16, 16)
VECTORS(char, signed char, 2, 4)
VECTORS(uchar, unsigned char, 2, 4)
VECTORS(short, short, 4, 8)
VECTORS(ushort, unsigned short, 4, 8)
VECTORS(int, int, 8, 16)
VECTORS(uint, unsigned, 8, 16)
VECTORS(longlong, long long, 16, 16)
VECTORS(ulonglong, unsigned long long, 16, 16)

// ---- fibers ----
struct Fiber { ucontext_t context; std::vector<char> stack; bool done = false; uint3 id; };
static std::vector<Fiber> fibers;
static ucontext_t scheduler;
static unsigned current;
static unsigned long long slots[1024];
static unsigned waiting_block, waiting_warp[32], generation_block, generation_warp[32];
static unsigned alive, alive_warp[32];

static void yield() { swapcontext(&fibers[current].context, &scheduler); }
static void __syncthreads() {
  unsigned seen = generation_block;
  if (++waiting_block == alive) { waiting_block = 0; ++generation_block; return; }
  while (seen == generation_block) yield();
}
static void warp_barrier() {
  unsigned warp = current / 32, seen = generation_warp[warp];
  if (++waiting_warp[warp] == alive_warp[warp]) { waiting_warp[warp] = 0; ++generation_warp[warp]; return; }
  while (seen == generation_warp[warp]) yield();
}
static void __syncwarp(unsigned = ~0u) { warp_barrier(); }
template <typename T> static T exchange(unsigned mask, T value, unsigned lane) {
  if (!(mask >> (current % 32) & 1)) { std::fprintf(stderr, "lane not in mask\n"); std::abort(); }
  std::memcpy(&slots[current], &value, sizeof(T));
  warp_barrier();
  T result = value;
  if (lane < 32 && (mask >> lane & 1)) std::memcpy(&result, &slots[current / 32 * 32 + lane], sizeof(T));
  warp_barrier();
  return result;
}
// As in PTX: only the low five bits of lane and delta count.
template <typename T> static T __shfl_sync(unsigned m, T v, int lane) { return exchange(m, v, lane & 31); }
template <typename T> static T __shfl_up_sync(unsigned m, T v, unsigned d) {
  unsigned own = current % 32; d &= 31; return exchange(m, v, own >= d ? own - d : own);
}
template <typename T> static T __shfl_down_sync(unsigned m, T v, unsigned d) {
  unsigned own = current % 32; d &= 31; return exchange(m, v, own + d < 32 ? own + d : own);
}
template <typename T> static T __shfl_xor_sync(unsigned m, T v, int x) {
  return exchange(m, v, (current % 32) ^ (x & 31));
}
static unsigned __ballot_sync(unsigned m, bool p) {
  slots[current] = p; warp_barrier();
  unsigned bits = 0;
  for (unsigned n = 0; n < 32; ++n) if (m >> n & 1) bits |= (unsigned)(slots[current / 32 * 32 + n] & 1) << n;
  warp_barrier();
  return bits;
}
static int __any_sync(unsigned m, bool p) { return __ballot_sync(m, p) != 0; }
static int __all_sync(unsigned m, bool p) { return __ballot_sync(m, p) == m; }

// ---- bits, conversions ----
template <typename To, typename From> static To bits(From x) { To y; std::memcpy(&y, &x, sizeof y); return y; }
static float __uint_as_float(unsigned x) { return bits<float>(x); }
static unsigned __float_as_uint(float x) { return bits<unsigned>(x); }
static double __longlong_as_double(long long x) { return bits<double>(x); }
static long long __double_as_longlong(double x) { return bits<long long>(x); }
// PTX: saturating; NaN gives 0, but the top bit alone where f64 or a 64-bit integer is involved.
template <typename I, typename F> static I rz(F x) {
  bool wide = sizeof(F) == 8 || sizeof(I) == 8;
  if (x != x) return wide ? (I)(std::make_unsigned_t<I>(1) << (sizeof(I) * 8 - 1)) : 0;
  long double y = std::trunc((long double)x);
  if (y >= (long double)std::numeric_limits<I>::max()) return std::numeric_limits<I>::max();
  if (y <= (long double)std::numeric_limits<I>::min()) return std::numeric_limits<I>::min();
  return (I)y;
}
static int __float2int_rz(float x) { return rz<int>(x); }
static unsigned __float2uint_rz(float x) { return rz<unsigned>(x); }
static long long __float2ll_rz(float x) { return rz<long long>(x); }
static unsigned long long __float2ull_rz(float x) { return rz<unsigned long long>(x); }
static int __double2int_rz(double x) { return rz<int>(x); }
static unsigned __double2uint_rz(double x) { return rz<unsigned>(x); }
static long long __double2ll_rz(double x) { return rz<long long>(x); }
static unsigned long long __double2ull_rz(double x) { return rz<unsigned long long>(x); }
template <typename T> static float towards_zero(T x) {
  float y = (float)x;
  return std::fabs((long double)y) > std::fabs((long double)x) ? std::nextafter(y, 0.0f) : y;
}
static float __double2float_rz(double x) { return towards_zero(x); }
static float __ll2float_rz(long long x) { return towards_zero(x); }
static float __ull2float_rz(unsigned long long x) { return towards_zero(x); }
static float cvt_f32_f16(unsigned short x) { return (float)bits<_Float16>(x); }
static unsigned short cvt_rn_f16_f32(float x) { return bits<unsigned short>((_Float16)x); }
static unsigned short cvt_rn_f16_f64(double x) { return bits<unsigned short>((_Float16)x); }
static unsigned short cvt_rn_bf16_f32(float x) {
  if (x != x) return 0x7fff;
  unsigned u = bits<unsigned>(x);
  return (unsigned short)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

// ---- functions ----
static int __popc(unsigned x) { return __builtin_popcount(x); }
static int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
static float rsqrtf(float x) { return (float)(1.0 / std::sqrt((double)x)); }
static double rsqrt(double x) { return 1.0 / std::sqrt(x); }
template <typename T> static T min(T a, T b) { return b < a ? b : a; }
template <typename T> static T max(T a, T b) { return a < b ? b : a; }
static int min(int a, int b) { return b < a ? b : a; }
static int max(int a, int b) { return a < b ? b : a; }
using std::isinf;
using std::isnan;

template <typename T, typename U> static T update(T* p, T value, U) { T old = *p; *p = value; return old; }
#define ATOMIC(name, expr) \
  template <typename T, typename V> static T name(T* p, V given) { \
    T x = (T)given, old = *p; *p = (T)(expr); return old; }
template <typename T> static T wrapping_add(T a, T b) {
  if constexpr (std::is_integral_v<T>) return (T)((std::make_unsigned_t<T>)a + (std::make_unsigned_t<T>)b);
  else return a + b;
}
ATOMIC(atomicAdd, wrapping_add(old, x))
ATOMIC(atomicMin, x < old ? x : old)
ATOMIC(atomicMax, x > old ? x : old)
ATOMIC(atomicAnd, old & x)
ATOMIC(atomicOr, old | x)
ATOMIC(atomicXor, old ^ x)
ATOMIC(atomicExch, x)
template <typename T, typename V, typename W> static T atomicCAS(T* p, V compare, W value) {
  T old = *p;
  if (old == (T)compare) *p = (T)value;
  return old;
}

// ---- launch ----
typedef void (*Body)();
static Body body;
static void enter() {
  body();
  fibers[current].done = true;
  // a thread that has ended is waited for by nobody
  unsigned warp = current / 32;
  --alive;
  --alive_warp[warp];
  if (alive && waiting_block == alive) { waiting_block = 0; ++generation_block; }
  if (alive_warp[warp] && waiting_warp[warp] == alive_warp[warp]) { waiting_warp[warp] = 0; ++generation_warp[warp]; }
  yield();
}
static void launch(uint3 grid, uint3 block, Body kernel) {
  gridDim = grid; blockDim = block; body = kernel;
  unsigned threads = block.x * block.y * block.z;
  fibers.resize(threads);
  for (auto& fiber : fibers) fiber.stack.resize(1 << 16);
  for (unsigned b = 0; b < grid.x * grid.y * grid.z; ++b) {
    blockIdx = {b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y};
    alive = threads;
    for (unsigned w = 0; w < 32; ++w) alive_warp[w] = threads > w * 32 ? min(threads - w * 32, 32u) : 0;
    for (unsigned t = 0; t < threads; ++t) {
      Fiber& f = fibers[t];
      f.done = false;
      f.id = {t % block.x, t / block.x % block.y, t / block.x / block.y};
      getcontext(&f.context);
      f.context.uc_stack.ss_sp = f.stack.data();
      f.context.uc_stack.ss_size = f.stack.size();
      f.context.uc_link = nullptr;
      makecontext(&f.context, enter, 0);
    }
    while (alive)
      for (current = 0; current < threads; ++current)
        if (!fibers[current].done) { threadIdx = fibers[current].id; swapcontext(&scheduler, &fibers[current].context); }
  }
}
static std::vector<unsigned char> read_bytes(std::FILE* file) {
  unsigned long long size;
  if (std::fread(&size, 8, 1, file) != 1) std::abort();
  std::vector<unsigned char> data(size + 64);
  if (std::fread(data.data(), 1, size, file) != size) std::abort();
  return data;
}
static void write_bytes(std::FILE* file, const std::vector<unsigned char>& data) {
  std::fseek(file, 8, SEEK_CUR);
  std::fwrite(data.data(), 1, data.size() - 64, file);
}
template <typename F> struct Signature;
template <typename... A> struct Signature<void(A...)> {
  template <int N> using Nth = std::tuple_element_t<N, std::tuple<A...>>;
};
