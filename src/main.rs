//! The mailtrail command: hands its arguments to the library and its exit code to the system.

fn main() -> std::process::ExitCode {
    mailtrail::cli::main(std::env::args_os())
}
