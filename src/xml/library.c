#include "xml/library.h"

#include <dlfcn.h>

#include "base/error.h"

/* Of the same interface as the headers. */
#if LIBXML_VERSION >= 21400
#define SONAME "libxml2.so.16"
#else
#define SONAME "libxml2.so.2"
#endif

static const char *const symbol_names[] = {
#define SYMBOL_NAME(NAME) #NAME,
    XML_LIBRARY_SYMBOLS(SYMBOL_NAME)
#undef SYMBOL_NAME
};

G_STATIC_ASSERT(sizeof(XmlLibrary) == G_N_ELEMENTS(symbol_names) * sizeof(void *));

/* The loader's words are of the thread that called it last: whoever fails reads them at once. */
static XmlLibrary *load(GError **error)
{
    g_autofree XmlLibrary *library = g_new0(XmlLibrary, 1);
    void **members = (void **)library;
    void *handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

    for (size_t i = 0; handle && i < G_N_ELEMENTS(symbol_names); i++) {
        members[i] = dlsym(handle, symbol_names[i]);
        if (!members[i])
            handle = NULL;
    }
    if (!handle) {
        error_set(error, VIR_FROM_XML, VIR_ERR_INTERNAL_ERROR, "cannot load libxml2: %s",
                  dlerror());
        return NULL;
    }
    library->xmlInitParser();
    return g_steal_pointer(&library);
}

/* Where code is loaded is a fact of the process, whatever the number of daemons in it. Two threads
 * that come first at once load it twice, which is the same; one of the tables is kept. */
const XmlLibrary *xml_library(GError **error)
{
    static const XmlLibrary *loaded;
    const XmlLibrary *library = g_atomic_pointer_get(&loaded);

    if (library)
        return library;
    library = load(error);
    if (library && !g_atomic_pointer_compare_and_exchange(&loaded, NULL, library)) {
        g_free((XmlLibrary *)library);
        library = g_atomic_pointer_get(&loaded);
    }
    return library;
}

const XmlLibrary *xml_loaded(void)
{
    const XmlLibrary *library = xml_library(NULL);

    g_assert(library);
    return library;
}
