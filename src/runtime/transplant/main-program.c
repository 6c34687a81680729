/* The main program of an executable that is linked from the installed one (src/hosts/transplant): CPython's own is no name that one could call. */
#include FF_LAYOUT

/* As Programs/python.c. */
int main(int argc, char **argv)
{
    return Py_BytesMain(argc, argv);
}
