//! What the allocators of a process may keep.
//!
//! Mentions are decoded on one thread and freed on another, batch after batch. The C library's
//! allocator keeps what such batches leave, once for each thread; jemalloc gives it back (settings:
//! `.cargo/config.toml`). C code, librdkafka above all, goes on with the C library's: there the
//! threads share one arena that keeps little.

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// What the C library's arena keeps at its end before giving it back, in bytes. Left to itself
/// glibc raises its threshold with every large block that is freed, up to 64 MiB.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_AT_THE_END: i32 = 1 << 20;

/// Has all threads share one arena of the C library that gives memory back. To be called before
/// threads start; where the C library refuses or is another one, everything works as before and
/// takes more memory.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn keep_little() {
    #![expect(unsafe_code, reason = "glibc's settings have no safe binding")]
    // SAFETY: sets numbers inside the allocator; no other thread runs yet.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_AT_THE_END);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn keep_little() {}
