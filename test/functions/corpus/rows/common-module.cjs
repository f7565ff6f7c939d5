const factor = 3

exports.triple = (x) => x * factor
