import { testBroker } from '../conformance/broker.ts'
import { sqliteFixture } from './sqlite-fixture.ts'

testBroker('sqlite', sqliteFixture)
