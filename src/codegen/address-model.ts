/**
 * How static objects point to each other. `absolute`: each is a variable, and a pointer is a link-time constant; for
 * executables with fixed addresses. `position-independent`: an image is one struct without a pointer in it, and the runtime
 * puts them in when the module is first imported (src/runtime/relocate.c); for everything whose address is known only at
 * run time, where each pointer would cost the loader time at every start.
 */
export type AddressModel = 'absolute' | 'position-independent';
