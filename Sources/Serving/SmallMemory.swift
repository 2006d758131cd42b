import CAllocator

/// Our machines have 512 MB: memory that is not in use goes back to the system. To be called before anything else.
package func keepMemorySmall() { allocator_stay_small() }
