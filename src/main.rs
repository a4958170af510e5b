//! The mailtrail command: hands its arguments to the library and its exit code to the system.

/// Gives memory back while a case is settled, where the system's own allocator keeps it: at 1.5 million messages the peak is lower by a
/// third, see `docs/PERFORMANCE.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    mailtrail::cli::main(std::env::args_os())
}
