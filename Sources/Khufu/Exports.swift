// What a user of Khufu names: formulas, reductions, options and errors come from the modules below.
@_exported import ArrayFiles
@_exported import Engines
@_exported import Formulas
@_exported import Kernels
