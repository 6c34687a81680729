import patching.first
import slow

value = patching.first.value
