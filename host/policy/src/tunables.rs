//! The one place where wasmtime is configured: compile worker and relay have to agree on all of it.

use std::num::NonZeroUsize;

use wasmtime::{Config, Enabled, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, WasmBacktraceDetails};

use crate::engine::Mode;
use crate::limits;

/// What is compiled with, and what a relay loads.
pub(crate) fn config(mode: Mode) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .consume_fuel(mode == Mode::Metered)
        .max_wasm_stack(limits::WASM_STACK)
        .async_stack_size(limits::CALL_STACK)
        .native_unwind_info(false) // unregistering is quadratic in the number of modules
        .wasm_backtrace_max_frames(NonZeroUsize::new(8))
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .cranelift_opt_level(OptLevel::Speed)
        .memory_init_cow(true)
        .memory_guaranteed_dense_image_size(4 * 1024 * 1024)
        .concurrency_support(false) // calls without a task each
        .wasm_relaxed_simd(false) // its results differ between processors
        .wasm_tail_call(false)
        .wasm_memory64(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false);
    config
}

/// The pool of a relay: places for all calls that may run at a time.
pub(crate) fn pool(config: &mut Config, memory: usize) {
    let calls = u32::try_from(limits::CALLS).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls * limits::CORE_INSTANCES)
        .total_memories(calls * limits::MEMORIES)
        .total_tables(calls * limits::TABLES)
        .total_stacks(calls)
        .max_core_instances_per_component(limits::CORE_INSTANCES)
        .max_memories_per_component(limits::MEMORIES)
        .max_tables_per_component(limits::TABLES)
        .max_memories_per_module(limits::MEMORIES)
        .max_tables_per_module(limits::TABLES)
        .max_core_instance_size(4 * 1024 * 1024)
        .max_component_instance_size(4 * 1024 * 1024)
        .table_elements(limits::TABLE_ELEMENTS)
        .max_memory_size(memory)
        // What stays resident is zeroed by hand, which is cheaper than giving it back while it is small.
        .linear_memory_keep_resident(256 * 1024)
        .table_keep_resident(16 * 1024)
        .async_stack_keep_resident(64 * 1024)
        .max_unused_warm_slots(calls)
        .pagemap_scan(Enabled::No); // it has leaked pages between slots where swap is on
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
}
