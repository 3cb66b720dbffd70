#pragma once

/// What Ed25519 and X25519 answered before. They are two thirds of what a simulated world costs,
/// as each of nine members checks what all the others have checked already, and a pure function
/// need not be asked twice. The code of the product is the same: in simulation_test alone the
/// linker (`--wrap`, CMakeLists.txt) puts this memory between crypto.cpp and libsodium.
namespace kith::simulation {

/// Begins anew: worlds share no keys.
void forget_curve();

}  // namespace kith::simulation
