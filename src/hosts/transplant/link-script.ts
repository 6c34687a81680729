import {CONSTRUCTORS_SECTION, type ExecutableObject, THREAD_SECTION} from './executable-object.js';

/** Where the rest of an executable lies whose original one begins behind it: above what the kernel gives to nobody. */
const START = 0x100000;

/** The alignment of the block of thread-local variables: that of ours that has the largest one (src/runtime/snapshot/library-threads.c). */
const THREAD_ALIGNMENT = 64;

/**
 * A script for GNU ld. It is its own for executables, but for three things: the original executable lies where it did; its data and ours are one segment, the
 * last one, of which nothing is protected; its thread-local variables are the last ones, because code has their distance from the end.
 */
export function linkScript({
  sections,
  threadSize,
}: Pick<ExecutableObject, 'sections' | 'threadSize'>): string {
  const data = sections.at(-1)?.name;
  const original = sections.flatMap(({name, address, isCode}) => [
    `  ${name} ${hexadecimal(address)} : { KEEP(*(${name})) }`,
    ...(name === data ? [`  ff_original_data = ADDR(${name});`, '  ff_original_data_end = .;'] : []),
    // What tells code of Python from other code ends there.
    ...(isCode ? ['  etext = .;'] : []),
  ]);
  return `SECTIONS
{
  __executable_start = ${hexadecimal(START)};
  . = ${hexadecimal(START)} + SIZEOF_HEADERS;
  .interp : { *(.interp) }
  .note.gnu.property : { *(.note.gnu.property) }
  .note.gnu.build-id : { *(.note.gnu.build-id) }
  .note.ABI-tag : { *(.note.ABI-tag) }
  .gnu.hash : { *(.gnu.hash) }
  .dynsym : { *(.dynsym) }
  .dynstr : { *(.dynstr) }
  .gnu.version : { *(.gnu.version) }
  .gnu.version_d : { *(.gnu.version_d) }
  .gnu.version_r : { *(.gnu.version_r) }
  .rela.plt : { *(.rela.plt) *(.rela.iplt) }
  .rela.dyn : { *(.rela.*) }
  . = ALIGN(CONSTANT(MAXPAGESIZE));
  .init : { KEEP(*(SORT_NONE(.init))) }
  .plt : { *(.plt) *(.iplt) }
  .plt.got : { *(.plt.got) }
  .plt.sec : { *(.plt.sec) }
  .text : { *(.text .text.*) }
  .fini : { KEEP(*(SORT_NONE(.fini))) }
  . = ALIGN(CONSTANT(MAXPAGESIZE));
  .rodata : { *(.rodata .rodata.*) }
  .eh_frame_hdr : { *(.eh_frame_hdr) }
  .eh_frame : { KEEP(*(.eh_frame)) }
  .gcc_except_table : { *(.gcc_except_table .gcc_except_table.*) }
  . = DATA_SEGMENT_ALIGN(CONSTANT(MAXPAGESIZE), CONSTANT(COMMONPAGESIZE));
  .tdata : ALIGN(${THREAD_ALIGNMENT}) {
    *(.tdata .tdata.*)
    *(.tbss .tbss.*)
    . = ALIGN(. + ${threadSize}, ${THREAD_ALIGNMENT}) - ${threadSize};
    KEEP(*(${THREAD_SECTION}))
  }
  .init_array : {
    PROVIDE_HIDDEN(__init_array_start = .);
    KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*)))
    KEEP(*(.init_array))
    PROVIDE_HIDDEN(__init_array_end = .);
  }
  .fini_array : {
    KEEP(*(SORT_BY_INIT_PRIORITY(.fini_array.*)))
    KEEP(*(.fini_array))
  }
  .data.rel.ro : { *(.data.rel.ro .data.rel.ro.*) KEEP(*(${CONSTRUCTORS_SECTION})) }
  .dynamic : { *(.dynamic) }
  .got : { *(.got) *(.igot) *(.got.plt) *(.igot.plt) }
  . = DATA_SEGMENT_RELRO_END(0, .);
${original.join('\n')}
  .data : { *(.data .data.*) }
  ff_written : { PROVIDE_HIDDEN(__start_ff_written = .); *(ff_written) PROVIDE_HIDDEN(__stop_ff_written = .); }
  ff_data : { PROVIDE_HIDDEN(__start_ff_data = .); *(ff_data) PROVIDE_HIDDEN(__stop_ff_data = .); }
  ff_text : { PROVIDE_HIDDEN(__start_ff_text = .); *(ff_text) PROVIDE_HIDDEN(__stop_ff_text = .); }
  ff_string : { PROVIDE_HIDDEN(__start_ff_string = .); *(ff_string) PROVIDE_HIDDEN(__stop_ff_string = .); }
  .bss : { *(.bss .bss.* COMMON) }
  . = ALIGN(8);
  _end = .;
  . = DATA_SEGMENT_END(.);
  .comment 0 : { *(.comment) }
}
`;
}

function hexadecimal(address: number): string {
  return `0x${address.toString(16)}`;
}
