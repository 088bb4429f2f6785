//! The program that libFuzzer drives: `scripts/fuzz` builds it so, and names the target in FUZZ_TARGET. Built without
//! `--cfg fuzzing` it needs no C++ and runs files once: `tidegate-fuzz TARGET FILE…`.
#![cfg_attr(fuzzing, no_main)]

use tidegate_fuzz::target;

#[cfg(fuzzing)]
static TARGET: std::sync::LazyLock<tidegate_fuzz::Target> =
    std::sync::LazyLock::new(|| target(&std::env::var("FUZZ_TARGET").unwrap_or_default()));

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| TARGET(input));

#[cfg(not(fuzzing))]
fn main() {
    let mut arguments = std::env::args().skip(1);
    let target = target(&arguments.next().unwrap_or_default());
    for file in arguments {
        println!("{file}");
        target(&std::fs::read(&file).expect("a file that can be read"));
    }
}
