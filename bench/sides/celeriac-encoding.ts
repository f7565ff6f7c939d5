import { encodingFigures } from '../encoding-figures.ts'
import { runAsSide } from '../side.ts'

await runAsSide(encodingFigures)
